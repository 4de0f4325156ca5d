import { afterEach, describe, expect, it } from "vitest";

import { calendarDay, count, delay, fixed, measured, rate, seconds, setLocale, span, stamp, timer } from "@/ui/format";

afterEach(() => setLocale("en"));

describe("numbers", () => {
  it("show about four figures, with fixed decimals and a true minus", () => {
    expect([6.314, 0.982, 42.71, 1184, 148.53, -3.2].map((value) => measured(value))).toEqual([
      "6.314", "0.982", "42.71", "1,184", "148.5", "\u22123.200",
    ]);
    expect(measured(null)).toBe("–");
    expect(measured(NaN)).toBe("–");
    expect(measured(0)).toBe("0.000");
    expect(fixed(-0.0001, 2)).toBe("0.00");
  });

  it("follow the language", () => {
    setLocale("ru");
    expect(count(12_600).replace(/\s/g, " ")).toBe("12 600");
    expect(measured(6.314)).toBe("6,314");
    expect(delay(38)).toEqual({ value: "38", unit: "мс" });
  });

  it("tell rates and delays in the unit that reads best", () => {
    expect([10.02, 0.9, 1.04, 50, 7.3].map(rate)).toEqual(["10", "0.90", "1", "50", "7.3"]);
    expect([38.4, 6_400, 134_000].map((ms) => delay(ms))).toEqual([
      { value: "38", unit: "ms" }, { value: "6.4", unit: "s" }, { value: "134", unit: "s" },
    ]);
  });
});

describe("times", () => {
  it("count whole seconds that have passed", () => {
    expect(timer(252.9)).toBe("00:04:12");
    expect(span(252.9)).toBe("04:12");
    expect(span(3_600)).toBe("01:00:00");
    expect(timer(-1)).toBe("00:00:00");
  });

  it("name the year where it is another one", () => {
    const now = seconds("2026-11-27T12:00:00Z");
    expect(calendarDay(seconds("2026-02-03T12:00:00Z"), now)).toBe("3 Feb");
    expect(calendarDay(seconds("2027-02-03T12:00:00Z"), now)).toBe("3 Feb 2027");
    expect(stamp(seconds("2025-12-31T12:00:00Z"), now)).toMatch(/^31 Dec 2025 \d\d:00:00$/);
    setLocale("ru");
    expect(calendarDay(seconds("2027-02-03T12:00:00Z"), now)).toBe("3 февр. 2027");
  });
});
