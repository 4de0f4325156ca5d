import { describe, expect, it } from "vitest";

import firstEn from "@/app/i18n/en";
import laterEn from "@/app/i18n/en-access";
import firstRu from "@/app/i18n/ru";
import laterRu from "@/app/i18n/ru-access";

const en = { ...firstEn, ...laterEn };
const ru = { ...firstRu, ...laterRu };

const holes = (text: string): string[] => [...text.matchAll(/\{\{\w+\}\}/g)].map(([hole]) => hole).sort();

describe("languages", () => {
  it("say the same things with the same blanks", () => {
    const inRussian: Record<string, string> = ru;
    for (const [key, text] of Object.entries(en)) {
      expect(inRussian[key], key).toBeDefined();
      expect(holes(inRussian[key] ?? ""), key).toEqual(holes(text));
    }
  });

  it("say each thing in one table only", () => {
    expect(Object.keys(laterEn).filter((key) => key in firstEn)).toEqual([]);
  });

  it("have every plural form that Russian needs", () => {
    const forms = new Intl.PluralRules("ru").resolvedOptions().pluralCategories;
    const counted = Object.keys(en).filter((key) => key.endsWith("_one"));
    expect(counted.length).toBeGreaterThan(0);
    for (const key of counted) for (const form of forms) expect(ru, key).toHaveProperty([key.replace(/_one$/, `_${form}`)]);
  });
});
