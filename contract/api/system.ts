import { type Static, Type } from "typebox";
import { MicrosSchema } from "./time.ts";
import { JsonValueSchema } from "./value.ts";

/** offered = stored + duplicates + rejected + dropped + pending, in datapoints; pending is 0 once everything is judged. */
export const SumsSchema = Type.Object(
  {
    offered: Type.Integer(),
    stored: Type.Integer(),
    duplicates: Type.Integer(),
    rejected: Type.Integer(),
    dropped: Type.Integer(),
    pending: Type.Integer(),
    balanced: Type.Boolean({ description: "Does the sum rule hold?" }),
  },
  { $id: "Sums" },
);
export type Sums = Static<typeof SumsSchema>;

export const SystemStatusSchema = Type.Object(
  {
    version: Type.String(),
    demo: Type.Boolean(),
    startedUs: MicrosSchema,
    nowUs: MicrosSchema,
    state: Type.Enum(["starting", "ready", "readOnly", "diskFull", "stopping"]),
    sums: SumsSchema,
    rates: Type.Object({
      offeredPerSecond: Type.Number(),
      storedPerSecond: Type.Number(),
      batchesPerSecond: Type.Number(),
    }),
    log: Type.Object({
      generation: Type.Integer(),
      firstLsn: Type.Integer(),
      durableLsn: Type.Integer(),
      bytes: Type.Integer(),
      segments: Type.Integer(),
      commitP50Ms: Type.Number(),
      commitP99Ms: Type.Number(),
      quarantined: Type.Integer({ description: "Damaged frames set aside." }),
    }),
    history: Type.Object({
      appliedLsn: Type.Integer(),
      lagRecords: Type.Integer(),
      lagSeconds: Type.Number(),
      rows: Type.Integer(),
      files: Type.Integer(),
      bytes: Type.Integer(),
      quarantined: Type.Integer(),
      state: Type.Enum(["ready", "compacting", "rebuilding", "unavailable"]),
    }),
    facts: Type.Object({
      appliedLsn: Type.Integer(),
      lagRecords: Type.Integer(),
      bindings: Type.Integer({ description: "Tags that tell a state or a count; pulses of a machine are one." }),
      repairing: Type.Integer({ description: "Of these, such as are being derived again." }),
      mappingErrors: Type.Integer({ description: "Values kept that their mapping says nothing of." }),
    }),
    results: Type.Object({
      applications: Type.Integer({ description: "Applications that publish results." }),
      waiting: Type.Integer({ description: "Results that wait to be computed, or are being computed." }),
      windows: Type.Integer({ description: "Ranges of time that are dirty and not taken apart into results yet." }),
    }),
    disk: Type.Object({
      freeBytes: Type.Integer(),
      totalBytes: Type.Integer(),
      usedByDataBytes: Type.Integer(),
      hoursLeft: Type.Union([Type.Number(), Type.Null()], {
        description: "At the growth of the last hour; null: not known yet, which takes half an hour after a start.",
      }),
    }),
    process: Type.Object({ rssBytes: Type.Integer(), cpuSeconds: Type.Number(), loopLagMs: Type.Number() }),
    mqtt: Type.Union(
      [
        Type.Null(),
        Type.Object({
          port: Type.Integer(),
          tls: Type.Boolean(),
          clients: Type.Integer({ description: "Connections that are open." }),
          received: Type.Integer({ description: "Messages that clients were allowed to publish, since the start." }),
          unclaimed: Type.Integer({ description: "Of these, such as no connection reads: they are not stored." }),
          refused: Type.Integer({ description: "Sign-ins, messages and subscriptions that were refused." }),
          cut: Type.Integer({ description: "Clients that were cut off." }),
        }),
      ],
      { description: "The embedded broker; null: it is not switched on." },
    ),
    streams: Type.Integer(),
    tags: Type.Integer(),
    connections: Type.Integer(),
    events: Type.Array(Type.Object({ time: MicrosSchema, code: Type.String(), text: Type.String() }), {
      description: "The last notable events: clock jumps, slow commits, quarantines.",
    }),
  },
  { $id: "SystemStatus" },
);
export type SystemStatus = Static<typeof SystemStatusSchema>;

/** Something refused and kept: who sent it, why it was refused, what was in it. */
export const RejectedItemSchema = Type.Object(
  {
    id: Type.Integer({ description: "LSN of the rejection." }),
    time: MicrosSchema,
    connection: Type.Union([Type.String(), Type.Null()]),
    code: Type.String(),
    detail: Type.String(),
    action: Type.String(),
    points: Type.Integer({ description: "Datapoints in it; 1 for an undecodable message." }),
    sample: Type.Array(
      Type.Object({
        tag: Type.Union([Type.String(), Type.Null()]),
        time: Type.Union([MicrosSchema, Type.Null()]),
        value: Type.Union([JsonValueSchema, Type.Null()]),
        detail: Type.Optional(Type.String()),
      }),
      { description: "Up to 20 of the rejected rows." },
    ),
    payload: Type.Union([Type.String(), Type.Null()], {
      description: "What was sent, as base64, up to 64 KiB; null where `sample` says all.",
    }),
    payloadBytes: Type.Integer(),
  },
  { $id: "RejectedItem" },
);
export type RejectedItem = Static<typeof RejectedItemSchema>;

/** Data known to be missing. */
export const GapSchema = Type.Object(
  {
    id: Type.Integer(),
    connection: Type.Union([Type.String(), Type.Null()]),
    fromUs: MicrosSchema,
    toUs: Type.Union([MicrosSchema, Type.Null()]),
    points: Type.Union([Type.Integer(), Type.Null()], { description: "How many, where that is known." }),
    reason: Type.String(),
    recordedUs: MicrosSchema,
  },
  { $id: "Gap" },
);
export type Gap = Static<typeof GapSchema>;
