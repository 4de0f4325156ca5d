import { describe, expect, it } from "vitest";

import { guess } from "@/features/proposals/guess";

const lines = (name: string) => guess({ name, unit: "", format: "line protocol" });
const senml = (name: string, unit: string) => guess({ name, unit, format: "SenML" });

describe("a proposal's form", () => {
  it("names the sensor without the marks of line protocol", () => {
    expect(lines("bath,lab=3,rack=a\\ b/inlet").name).toBe("bath 3 a b inlet");
    expect(lines("a\\,b/rate\\/s").name).toBe("a,b rate/s");
    expect(lines("m".repeat(900) + "/v").name).toHaveLength(200);
  });

  it("knows the units of SenML", () => {
    expect(senml("urn:dev:ow:10e2073a01080063:", "Cel")).toEqual({ name: "urn:dev:ow:10e2073a01080063:", type: "temperature", unit: "°C" });
    expect(senml("a", "%RH")).toMatchObject({ type: "humidity", unit: "%" });
    expect(senml("a", "lon")).toMatchObject({ type: "other", unit: "lon" });
  });

  it.each([
    ["bath,lab=3/temperature", "temperature", "°C"],
    ["esp/humidity", "humidity", "%"],
    ["motor/current", "current", "A"],
    ["tempering/voltage", "voltage", "V"],
    ["cpu,cpu=cpu0/usage_idle", "other", ""],
  ])("reads the quantity, which stands last: %s", (name, type, unit) => {
    expect(lines(name)).toMatchObject({ type, unit });
  });
});
