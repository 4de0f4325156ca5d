import { describe, expect, it } from "vitest";

import { lockedRange, placed, settled } from "@/charts/range";
import { decimalsOf, splits, step125, tickLabels, timeSplits, timeStep } from "@/charts/ticks";

describe("ticks", () => {
  it("steps by 1, 2 and 5 only", () => {
    for (let x = 1e-6; x < 1e6; x *= 1.37) {
      const step = step125(x);
      const lead = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
      expect([1, 2, 5].some((each) => Math.abs(lead - each) < 1e-6), `${x} → ${step}`).toBe(true);
      expect(step).toBeGreaterThanOrEqual(x * (1 - 1e-9));
      expect(step).toBeLessThan(2.6 * x);
    }
  });

  it("labels with as many decimals as tell neighbours apart", () => {
    expect(decimalsOf(0.05)).toBe(2);
    expect(decimalsOf(20)).toBe(0);
    expect(tickLabels(splits(-0.2, 0.2, 0.1), 0.1)).toEqual(["\u22120.2", "\u22120.1", "0.0", "0.1", "0.2"]);
  });

  it("puts time ticks at round local times", () => {
    const from = new Date(2026, 10, 24, 14, 28, 12).getTime() / 1000;
    const step = timeStep(300, 500);
    expect(step).toBe(60);
    const ticks = timeSplits(from, from + 300, step);
    expect(ticks.map((tick) => new Date(tick * 1000).getSeconds())).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("range", () => {
  const data = { min: 5.75, max: 6.35 };

  it("puts physical into the upper and raw into the lower part, at round ends", () => {
    const upper = placed(data, "upper", 8);
    expect(upper.min).toBeLessThan(data.min - 0.4 * (upper.max - upper.min));
    expect(upper.max).toBeGreaterThan(data.max);
    const lower = placed(data, "lower", 8);
    expect(lower.max).toBeGreaterThan(data.max + 0.4 * (lower.max - lower.min));
    for (const range of [upper, lower]) {
      expect(Math.abs(range.min / range.step - Math.round(range.min / range.step))).toBeLessThan(1e-6);
      expect(Math.abs(range.max / range.step - Math.round(range.max / range.step))).toBeLessThan(1e-6);
    }
  });

  it("stays while data fit, widens when they do not, narrows when they shrink far", () => {
    const first = settled(null, data, "upper", 8);
    expect(settled(first, { min: 5.8, max: 6.3 }, "upper", 8)).toBe(first);
    const wider = settled(first, { min: 5.75, max: 9 }, "upper", 8);
    expect(wider?.max).toBeGreaterThan(9);
    const narrower = settled(wider, { min: 6, max: 6.2 }, "upper", 8);
    expect((narrower?.max ?? 0) - (narrower?.min ?? 0)).toBeLessThan(1);
    expect(settled(first, null, "upper", 8)).toBe(first);
  });

  it("gives a constant value a range of its own size", () => {
    for (const value of [0, 5, -1e6]) {
      const range = placed({ min: value, max: value }, "full", 5);
      expect(range.min).toBeLessThan(value);
      expect(range.max).toBeGreaterThan(value);
    }
  });

  it("keeps the ends of a lock", () => {
    expect(lockedRange(5, 6.6, 8)).toEqual({ min: 5, max: 6.6, step: 0.2 });
  });
});
