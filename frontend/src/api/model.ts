/** The hub's nouns under short names. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Membership = Schemas["Membership"];
export type Sensor = Schemas["Sensor"];
export type SensorCreate = Schemas["SensorCreate"];
export type SensorUpdate = Schemas["SensorUpdate"];
export type Axis = Schemas["Axis"];
export type TimeSource = Schemas["TimeSource"];
export type Trial = Schemas["Trial"];
export type TrialProblem = Schemas["TrialProblem"];
export type TriedSample = Schemas["TriedSample"];
export type SensorType = Schemas["SensorType"];
export type SensorState = Schemas["SensorState"];
export type Experiment = Schemas["Experiment"];
export type Run = Schemas["Run"];
export type RunCreate = Schemas["RunCreate"];
export type BoundSensor = Schemas["BoundSensor"];
export type Capture = Schemas["Capture"];
export type CaptureLedger = Schemas["CaptureLedger"];
export type Manifest = Schemas["Manifest"];
export type Verification = Schemas["Verification"];
export type Role = Schemas["Role"];
export type Project = Schemas["Project"];
export type Member = Schemas["Member"];
export type Invite = Schemas["Invite"];
export type InviteCreate = Schemas["InviteCreate"];
export type InviteView = Schemas["InviteView"];
export type Session = Schemas["Session"];
export type PersonalToken = Schemas["PersonalToken"];
export type PersonalTokenCreate = Schemas["PersonalTokenCreate"];
export type Enrollment = Schemas["Enrollment"];
export type AuditFact = Schemas["AuditFact"];
export type JournalEntry = Schemas["JournalEntry"];
export type JournalKind = Schemas["Kind"];
export type EdgeAgent = Schemas["EdgeAgent"];
export type EdgeAgentCreate = Schemas["EdgeAgentCreate"];
export type EdgeAgentUpdate = Schemas["EdgeAgentUpdate"];
export type AgentInstance = Schemas["AgentInstance"];
export type Proposal = Schemas["Proposal"];
export type ProposalAccept = Schemas["ProposalAccept"];
export type ChannelState = Schemas["ChannelState"];

export const ROLES = ["viewer", "editor", "owner"] as const satisfies readonly Role[];

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
