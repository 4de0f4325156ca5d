/** Test packets: tried without a trace, or sent for good, by a person or under the sensor's own token. */

import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Sensor, Trial, TrialProblem } from "./model";
import { problemOf, unreachable } from "./problem";

export interface Packet {
  /** The JSON as it was written: the hub judges it, not the browser. */
  readonly text: string;
  readonly store: boolean;
}

export interface Tested extends Trial {
  readonly store: boolean;
}

async function test(sensorId: string, text: string, store: boolean): Promise<Trial> {
  const params = { path: { sensor_id: sensorId }, query: { store } };
  return body(api.POST("/api/v1/sensors/{sensor_id}/test", { params, body: {}, bodySerializer: () => text }));
}

interface Receipt {
  readonly accepted: number;
  readonly rejected: readonly TrialProblem[];
}

/** Send it the way the device would. */
async function deliver(token: string, text: string): Promise<Receipt> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const answer = await fetch("/api/v1/telemetry", { method: "POST", headers, body: text }).catch(() => {
    throw unreachable();
  });
  const said = (await answer.json().catch(() => null)) as Receipt | null;
  // Where no sample was good, the refusal is a receipt too.
  if (said !== null && Array.isArray(said.rejected)) return said;
  throw problemOf(said, answer);
}

/** With a token what is to be kept goes by it, through the very door of the device. */
export function useTest(sensor: Sensor, token: string | null): UseMutationResult<Tested, Error, Packet> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ text, store }: Packet) => {
      if (!store || token === null) return { ...(await test(sensor.id, text, store)), store };
      const tried = await test(sensor.id, text, false);
      const receipt = await deliver(token, text);
      return { samples: tried.samples, problems: [...receipt.rejected], stored: receipt.accepted, store };
    },
    onSuccess: ({ store }) => (store ? client.invalidateQueries({ queryKey: ["sensors", sensor.project_id] }) : undefined),
  });
}
