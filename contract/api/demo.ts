import { type Static, Type } from "typebox";
import { MicrosSchema, TimeInputSchema } from "./time.ts";

/**
 * The demo plant beside the platform: faults that can be ordered at its machines, and what really happened there. Only `lineshaft demo` has one; anywhere else
 * these answer as if they did not exist.
 */

const parameter = Type.Object({
  text: Type.String({ description: "For people." }),
  minimum: Type.Number(),
  maximum: Type.Number(),
  default: Type.Number(),
});

export const DemoFaultsSchema = Type.Object(
  {
    machines: Type.Array(
      Type.Object({
        machine: Type.String({ description: "A machine, or what speaks for several (an edge node)." }),
        protocol: Type.String(),
        faults: Type.Array(Type.String()),
      }),
    ),
    faults: Type.Array(
      Type.Object({
        fault: Type.String(),
        text: Type.String({ description: "What happens, in words." }),
        parameters: Type.Record(Type.String(), parameter),
      }),
    ),
    active: Type.Array(
      Type.Object({
        machine: Type.String(),
        fault: Type.String(),
        affected: Type.Array(Type.String()),
        secondsLeft: Type.Number(),
      }),
    ),
  },
  { $id: "DemoFaults" },
);
export type DemoFaults = Static<typeof DemoFaultsSchema>;

export const DemoFaultOrderSchema = Type.Object(
  {
    machine: Type.String({ maxLength: 128 }),
    fault: Type.String({ maxLength: 64 }),
    numbers: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.Number(), {
        maxProperties: 16,
        description: "By the names of the fault's parameters; what is missing has its default.",
      }),
    ),
  },
  { $id: "DemoFaultOrder", additionalProperties: false },
);
export type DemoFaultOrder = Static<typeof DemoFaultOrderSchema>;

const share = Type.Union([Type.Number(), Type.Null()]);

/** What an OEE comes to from the truth, by an arithmetic that shares no line with the platform's. */
export const DemoOeeSchema = Type.Object(
  {
    aptUs: Type.Number(),
    austUs: Type.Number(),
    adetUs: Type.Number(),
    adotUs: Type.Number(),
    unknownUs: Type.Number(),
    pbtUs: Type.Number({ description: "Planned busy time of known state." }),
    good: Type.Number(),
    scrap: Type.Number(),
    rework: Type.Number(),
    produced: Type.Number(),
    availability: share,
    effectiveness: share,
    qualityRatio: share,
    oee: share,
  },
  { $id: "DemoOee" },
);
export type DemoOee = Static<typeof DemoOeeSchema>;

export const DemoTruthSchema = Type.Object(
  {
    equipment: Type.String({ description: "Path." }),
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    resolutionUs: Type.Number({ description: "How exactly times of it can be known through its protocol." }),
    counts: Type.Record(Type.String(), Type.Number(), { description: "Pieces that were really made: good, scrap …" }),
    oee: Type.Object({
      all: DemoOeeSchema,
      hours: Type.Array(Type.Object({ fromUs: MicrosSchema, ...DemoOeeSchema.properties })),
    }),
  },
  { $id: "DemoTruth" },
);
export type DemoTruth = Static<typeof DemoTruthSchema>;

export const demoRoutes = {
  getDemoFaults: {
    method: "GET",
    path: "/demo/faults",
    summary: "The demo plant: what can go wrong at its machines, and what does",
    permission: "read",
    response: DemoFaultsSchema,
  },
  orderDemoFault: {
    method: "POST",
    path: "/demo/faults",
    summary: "The demo plant: let something go wrong",
    permission: "configure",
    body: DemoFaultOrderSchema,
    response: Type.Object({ machine: Type.String(), fault: Type.String(), affected: Type.Array(Type.String()) }),
  },
  getDemoTruth: {
    method: "GET",
    path: "/demo/truth",
    summary: "The demo plant: what really happened at a machine, and the OEE of it; at most two days",
    permission: "read",
    query: Type.Object(
      {
        equipment: Type.String({ maxLength: 1024, description: "Path." }),
        from: Type.Optional(TimeInputSchema),
        to: Type.Optional(TimeInputSchema),
      },
      { additionalProperties: false },
    ),
    response: DemoTruthSchema,
  },
} as const;
