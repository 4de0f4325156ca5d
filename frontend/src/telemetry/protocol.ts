/** What the page and the telemetry worker say to each other. */

import type { Gap } from "./gaps";

/** Live: the last `windowS` seconds. Range: a fixed span, of a capture when one is named. */
export type ViewWindow =
  | { readonly kind: "live"; readonly windowS: number }
  | { readonly kind: "range"; readonly from: number; readonly to: number; readonly captureId: string | null; readonly revision?: number | null };

export interface ViewSpec {
  readonly sensorId: string;
  readonly window: ViewWindow;
  /** Width of the plot in device pixels. */
  readonly pixels: number;
}

export interface Watched {
  readonly id: string;
  readonly heartbeatIntervalS: number;
}

export type ToWorker =
  | { readonly op: "session"; readonly token: string | null; readonly origin: string }
  | { readonly op: "watch"; readonly sensors: readonly Watched[] }
  | { readonly op: "project"; readonly id: string | null }
  | { readonly op: "runs"; readonly ids: readonly string[] }
  | { readonly op: "view"; readonly id: number; readonly spec: ViewSpec }
  | { readonly op: "close"; readonly id: number }
  | { readonly op: "taken"; readonly id: number }
  | { readonly op: "retry" };

export interface Extent {
  readonly min: number;
  readonly max: number;
}

/** Samples of one view, decimated to its width; the columns are transferred, not copied. */
export interface ViewData {
  readonly t: Float64Array;
  readonly physical: Float64Array;
  readonly raw: Float64Array;
  readonly physicalExtent: Extent | null;
  readonly rawExtent: Extent | null;
  readonly gaps: readonly Gap[];
  /** Newest time held of the sensor, for the dot at the live end. */
  readonly newestT: number | null;
  /** Samples in the range before decimation, where known. */
  readonly total: number;
  readonly loading: boolean;
  readonly problem: string | null;
}

export const BEAT_MISSED = 0;
export const BEAT_LATE = 1;
export const BEAT_FULL = 2;
export const BEAT_UNKNOWN = 3;

/** The newest of one sensor, as tiles and tables show it. */
export interface Reading {
  readonly id: string;
  /** Seconds since 1970. */
  readonly t: number;
  readonly raw: number | null;
  readonly physical: number | null;
  readonly status: number;
  readonly delayMs: number | null;
  readonly ratePerS: number;
  /** When the hub's clock showed the last arrival; 0 before any in this page. */
  readonly seenAt: number;
  readonly beats: readonly number[];
}

/** The last minute as pairs of seconds-ago and value; `floor` is the least span worth drawing in full height. */
export interface Spark {
  readonly id: string;
  readonly points: Float64Array;
  readonly floor: number;
}

/** The newest vector of a sensor that has an axis; null where an element has no physical value. */
export interface VectorReading {
  readonly id: string;
  /** Seconds since 1970. */
  readonly t: number;
  readonly physical: readonly (number | null)[];
}

export interface Intake {
  readonly ratePerS: number;
  readonly delayMeanMs: number | null;
  readonly delayP99Ms: number | null;
}

/** What one may see has changed while it was shown. */
export interface AccessChange {
  /** Sensors that are out of sight now. */
  readonly gone: readonly string[];
  /** By sensor, whether its raw values are open now. */
  readonly raw: Readonly<Record<string, boolean>>;
}

/** Something that happened in the project; the kind tells what the subject is. */
export interface HubEvent {
  readonly kind: string;
  readonly projectId: string;
  readonly subjectId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a capture of a followed run holds now, as its ledger tells. */
export interface LedgerChange {
  readonly captureId: string;
  readonly ledger: object;
}

export type Heard = "online" | "delayed" | "offline" | "unknown";

export type LiveState = "idle" | "connecting" | "live" | "lost";

export type FromWorker =
  | { readonly op: "status"; readonly state: LiveState; readonly retryAt: number | null; readonly clockOffsetS: number }
  | { readonly op: "token-needed" }
  | { readonly op: "access"; readonly change: AccessChange }
  | { readonly op: "event"; readonly event: HubEvent }
  | { readonly op: "ledger"; readonly change: LedgerChange }
  | { readonly op: "states"; readonly states: Readonly<Record<string, Heard>> }
  | { readonly op: "readings"; readonly readings: readonly Reading[]; readonly intake: Intake }
  | { readonly op: "vectors"; readonly vectors: readonly VectorReading[] }
  | { readonly op: "sparks"; readonly sparks: readonly Spark[] }
  | { readonly op: "view"; readonly id: number; readonly data: ViewData };
