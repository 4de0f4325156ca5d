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

  it("reads the gaps of each series behind all of them; none told is not the same as none there", () => {
    const frame = decodeFrame(
      buildFrame([
        { id: A, t: [1, 2, 9, 10], raw: [1, 2, 3, 4], gaps: [[2, 9]] },
        { id: B, t: [7] },
        { id: A, t: [1], gaps: [] },
        { id: B, t: [1, 5, 9], status: [0, 0, 0], gaps: [[1, 5], [5, 9]] },
      ]),
    );
    expect(frame.series.map((one) => one.gaps)).toEqual([[{ from: 2, to: 9 }], null, [], [{ from: 1, to: 5 }, { from: 5, to: 9 }]]);
    expect([...(frame.series[3]?.t ?? [])]).toEqual([1, 5, 9]);
  });

  it("reads the bytes that the hub writes", () => {
    // As tests/contract/test_frames.py has them.
    const hex = `45545031 0200 0300 05000000 00000000 312d320000000000
      0190a1b2c3d47e5f8a9b0c1d2e3f4a5b 03000000 0d 01 0100 0000000000000440 0700000000000000
      000000000000f03f 0000000000000040 0000000000002240 000000000000e03f 000000000000e0bf 0000000000000000 0001020000000000
      00000000000000000000000000000001 01000000 08 00 0000 0000000000000000 0100000000000000 0000000000001040
      0000000000000040 0000000000002240`.replace(/\s/g, "");
    const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
    const [one, other] = decodeFrame(bytes.buffer).series;
    expect([...(one?.t ?? [])]).toEqual([1, 2, 9]);
    expect(one?.gaps).toEqual([{ from: 2, to: 9 }]);
    expect([...(other?.t ?? [])]).toEqual([4]);
    expect(other?.gaps).toEqual([]);
  });

  it("refuses what is no frame, and a frame that was cut at any byte", () => {
    expect(() => decodeFrame(new ArrayBuffer(16))).toThrow(FrameInvalid);
    const whole = buildFrame([{ id: A, t: [1, 2, 3], raw: [1, 2, 3], status: [0, 0, 0], gaps: [[1, 2]] }], "c");
    for (let cut = 0; cut < whole.byteLength; cut += 1) {
      expect(() => decodeFrame(whole.slice(0, cut)), `cut at ${cut}`).toThrow(FrameInvalid);
    }
  });
});
