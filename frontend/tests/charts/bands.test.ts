import type uPlot from "uplot";
import { describe, expect, it } from "vitest";

import { gapPixels } from "@/charts/bands";

/** A plot whose picture is 100 pixels wide, from the tenth on, for 100 seconds. */
const plot = { bbox: { left: 10, width: 100 }, valToPos: (t: number) => 10 + t } as unknown as uPlot;

describe("gapPixels", () => {
  it("cuts gaps to the picture and leaves out what lies beside it", () => {
    const gaps = [{ from: -50, to: -20 }, { from: -5, to: 5 }, { from: 40, to: 41 }, { from: 90, to: Infinity }];
    expect(gapPixels(plot, gaps, [])).toEqual([[10, 15], [50, 51], [100, 110]]);
  });

  it("keeps uPlot's own gaps, where values lack, in order and joined where they overlap", () => {
    const gaps = [{ from: 40, to: 60 }, { from: 80, to: 81 }];
    expect(gapPixels(plot, gaps, [[12, 20], [65, 75], [60, 62]])).toEqual([[12, 20], [50, 75], [90, 91]]);
  });
});
