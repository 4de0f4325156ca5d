import i18next from "i18next";
import { expect, it } from "vitest";

import type { Capture } from "@/api/model";
import en from "@/app/i18n/en";
import ru from "@/app/i18n/ru";
import { whyFailed } from "@/features/captures/why-failed";

const FAILED = {
  failure: "Samples that were acknowledged could not be kept: flow (7)",
  failure_code: "samples_lost",
  failure_sensors: [{ sensor: "flow", samples: 7 }],
} as Capture;

it("says in the reader's language why a capture failed; what failed before codes keeps the hub's sentence", async () => {
  await i18next.init({ lng: "ru", resources: { en: { translation: en }, ru: { translation: ru } }, keySeparator: false, nsSeparator: false });
  expect(whyFailed(FAILED, i18next.t)).toBe("Подтверждённые отсчёты потеряны вместе с файлами потока: flow (7).");
  expect(whyFailed({ ...FAILED, failure_code: "samples_not_storable" }, i18next.t)).toContain("flow (7)");
  expect(whyFailed({ ...FAILED, failure_code: null, failure_sensors: null }, i18next.t)).toBe(FAILED.failure);
});
