/** React's way to live readings: each component re-renders for the sensors it shows and no others. */

import { createContext, useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from "react";

import type { LiveStatus, TelemetryClient } from "./client";
import type { Intake, Reading, Spark, VectorReading, Watched } from "./protocol";

export const TelemetryContext = createContext<TelemetryClient | null>(null);

export function useTelemetry(): TelemetryClient {
  const client = useContext(TelemetryContext);
  if (client === null) throw new Error("no telemetry above this component");
  return client;
}

/** Keep these sensors live while the component is shown. */
export function useWatch(sensors: readonly Watched[]): void {
  const client = useTelemetry();
  const key = sensors.map((sensor) => `${sensor.id}:${sensor.heartbeatIntervalS}`).join(" ");
  const stable = useMemo<Watched[]>(
    () =>
      key === ""
        ? []
        : key.split(" ").map((part) => ({ id: part.slice(0, 36), heartbeatIntervalS: Number(part.slice(37)) })),
    [key],
  );
  useEffect(() => (stable.length > 0 ? client.watch(stable) : undefined), [client, stable]);
}

export function useReading(id: string): Reading | undefined {
  const client = useTelemetry();
  const subscribe = useCallback((listener: () => void) => client.onReading(id, listener), [client, id]);
  return useSyncExternalStore(subscribe, () => client.reading(id));
}

export function useSpark(id: string): Spark | undefined {
  const client = useTelemetry();
  const subscribe = useCallback((listener: () => void) => client.onSpark(id, listener), [client, id]);
  return useSyncExternalStore(subscribe, () => client.spark(id));
}

export function useVector(id: string): VectorReading | undefined {
  const client = useTelemetry();
  const subscribe = useCallback((listener: () => void) => client.onVector(id, listener), [client, id]);
  return useSyncExternalStore(subscribe, () => client.vector(id));
}

/** Re-render with every set of readings; for what shows many sensors at once. */
export function useRound(): number {
  const client = useTelemetry();
  return useSyncExternalStore(client.onRound, client.round);
}

export function useIntake(): Intake {
  const client = useTelemetry();
  return useSyncExternalStore(client.onRound, client.intake);
}

export function useLiveStatus(): LiveStatus {
  const client = useTelemetry();
  return useSyncExternalStore(client.onStatus, client.status);
}
