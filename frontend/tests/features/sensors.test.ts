import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";

import en from "@/app/i18n/en-sensors";
import ru from "@/app/i18n/ru-sensors";
import { parseHeartbeat } from "@/features/sensors/heartbeat";
import { exampleArray, examplePacket, parsePacket } from "@/features/sensors/packets";
import { axisWords, MOST_VALUES, parseAxis, type AxisFields } from "@/ui/axis";
import { setLocale } from "@/ui/format";

const SPECTRUM = { quantity: "frequency", unit: "Hz", start: 0, step: 2, count: 512 };

describe("an axis", () => {
  const fields: AxisFields = { on: true, quantity: " frequency ", unit: "Hz", start: "0", step: "2", count: "512" };

  it("is what was typed, or none", () => {
    expect(parseAxis(fields)).toEqual({ axis: SPECTRUM, errors: {} });
    expect(parseAxis({ ...fields, step: "", on: false })).toEqual({ axis: null, errors: {} });
    expect(parseAxis({ ...fields, start: "−1,5", unit: "" }).axis).toMatchObject({ start: -1.5, unit: "" });
  });

  it("names each field that is wrong", () => {
    expect(parseAxis({ ...fields, quantity: " ", start: "x", step: "0", count: "1.5" })).toEqual({
      axis: null,
      errors: { quantity: "quantity", start: "number", step: "step", count: "count" },
    });
    expect(parseAxis({ ...fields, count: String(MOST_VALUES) }).axis?.count).toBe(MOST_VALUES);
    expect(parseAxis({ ...fields, count: String(MOST_VALUES + 1) }).errors).toEqual({ count: "count" });
    expect(parseAxis({ ...fields, step: "-2" }).errors).toEqual({ step: "step" });
  });

  describe("in words", () => {
    beforeAll(async () => {
      await i18next.init({ lng: "en", resources: { en: { translation: en }, ru: { translation: ru } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false } });
    });

    it("tells how many values, from where to where, how far apart", () => {
      expect(axisWords(SPECTRUM, i18next.t)).toBe("512 values, 0 … 1,022 Hz, every 2 Hz");
      expect(axisWords({ ...SPECTRUM, unit: "", start: 0.1, step: 0.1, count: 3 }, i18next.t)).toBe("3 values, 0.1 … 0.3, every 0.1");
    });

    it("in Russian too", async () => {
      await i18next.changeLanguage("ru");
      setLocale("ru");
      expect(axisWords({ ...SPECTRUM, count: 3 }, i18next.t)).toBe("3 значения, 0 … 4 Hz, через 2 Hz");
      setLocale("en");
    });
  });
});

describe("a test packet", () => {
  const sample = (text: string): unknown => (JSON.parse(text) as { samples: unknown[] }).samples[0];
  const textOf = (parsed: ReturnType<typeof parsePacket>): string => ("text" in parsed ? parsed.text : "");

  it("is a value as people type it, marked as a test", () => {
    expect(sample(textOf(parsePacket("value", " 2,5 ", null)))).toEqual({ v: 2.5, meta: { test: true } });
    expect(parsePacket("value", "warm", null)).toEqual({ error: "number", what: "" });
    expect(parsePacket("value", "1e999", null)).toEqual({ error: "number", what: "" });
  });

  it("is an array for a sensor with an axis; its length is for the hub to judge", () => {
    expect(sample(textOf(parsePacket("value", "[1, 2.5]", SPECTRUM)))).toEqual({ v: [1, 2.5], meta: { test: true } });
    for (const typed of ["1", "{}", "[1", "1, 2"]) expect(parsePacket("value", typed, SPECTRUM)).toEqual({ error: "array", what: "" });
  });

  it("is the very text where a whole packet is typed", () => {
    const typed = '{"samples": [{"v": 1.0, "v": 1e400}]}';
    expect(parsePacket("packet", typed, null)).toEqual({ text: typed });
    expect(parsePacket("packet", "[1]", null)).toEqual({ error: "object", what: "" });
    const broken = parsePacket("packet", '{"samples": [', null);
    expect("error" in broken && broken.error === "json" && broken.what !== "").toBe(true);
  });

  it("has an example of the right length", () => {
    const array = exampleArray(SPECTRUM);
    expect([array.length, Math.max(...array) > 0.9, array.every(Number.isFinite)]).toEqual([512, true, true]);
    expect(exampleArray({ ...SPECTRUM, count: 1 }).every(Number.isFinite)).toBe(true);
    expect(sample(examplePacket(null, 1_732_348_800))).toEqual({ t: "2024-11-23T08:00:00.000Z", v: 1.5 });
  });
});

describe("the heartbeat interval", () => {
  it("is above nothing and at most a week", () => {
    expect(["0.5", "604800", "10"].map(parseHeartbeat)).toEqual([0.5, 604_800, 10]);
    expect(["0", "-1", "604801", "", "often"].map(parseHeartbeat)).toEqual([null, null, null, null, null]);
  });
});
