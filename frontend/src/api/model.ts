/** The hub's nouns under short names. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Membership = Schemas["Membership"];
export type Sensor = Schemas["Sensor"];
export type SensorCreate = Schemas["SensorCreate"];
export type SensorType = Schemas["SensorType"];
export type SensorState = Schemas["SensorState"];
export type Experiment = Schemas["Experiment"];
export type Run = Schemas["Run"];
export type RunCreate = Schemas["RunCreate"];
export type BoundSensor = Schemas["BoundSensor"];
export type Capture = Schemas["Capture"];
export type CaptureLedger = Schemas["CaptureLedger"];

export const SENSOR_TYPES = [
  "temperature",
  "temperature_raw",
  "pressure",
  "pressure_analog",
  "vibration",
  "vibration_spectrum",
  "current",
  "voltage",
  "flow",
  "humidity",
  "force",
  "torque",
  "other",
] as const satisfies readonly SensorType[];
