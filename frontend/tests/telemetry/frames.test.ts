import { describe, expect, it } from "vitest";

import { decodeFrame, FrameInvalid } from "@/telemetry/frames";

import { buildFrame } from "./build-frame";

const A = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const B = "ffffffff-0000-4000-8000-000000000001";

describe("decodeFrame", () => {
  it("reads every column of every series in its place", () => {
    const frame = decodeFrame(
      buildFrame(
        [
          { id: A, t: [1.5, 2.5, 3.5], raw: [1, 2, 3], physical: [10, NaN, 30], status: [0, 2, 0], delayMs: 12.25, total: 9, decimated: true },
          { id: B, t: [7], physical: [-0.5] },
        ],
        "3-17",
        4,
      ),
    );
    expect(frame.cursor).toBe("3-17");
    expect(frame.merged).toBe(4);
    const [a, b] = frame.series;
    expect(a?.sensorId).toBe(A);
    expect([...(a?.t ?? [])]).toEqual([1.5, 2.5, 3.5]);
    expect([...(a?.raw ?? [])]).toEqual([1, 2, 3]);
    expect([...(a?.physical ?? [])]).toEqual([10, NaN, 30]);
    expect([...(a?.status ?? [])]).toEqual([0, 2, 0]);
    expect(a?.delayMs).toBe(12.25);
    expect(a?.total).toBe(9);
    expect(a?.decimated).toBe(true);
    expect(b?.sensorId).toBe(B);
    expect(b?.raw).toBeNull();
    expect(b?.status).toBeNull();
    expect([...(b?.physical ?? [])]).toEqual([-0.5]);
    expect(b?.delayMs).toBeNaN();
  });

  it("reads a frame without a cursor or series", () => {
    expect(decodeFrame(buildFrame([]))).toEqual({ cursor: "", merged: 0, series: [] });
  });

  it("refuses what is no frame, and a frame that was cut at any byte", () => {
    expect(() => decodeFrame(new ArrayBuffer(16))).toThrow(FrameInvalid);
    const whole = buildFrame([{ id: A, t: [1, 2, 3], raw: [1, 2, 3], status: [0, 0, 0] }], "c");
    for (let cut = 0; cut < whole.byteLength; cut += 1) {
      expect(() => decodeFrame(whole.slice(0, cut)), `cut at ${cut}`).toThrow(FrameInvalid);
    }
  });
});
