import { type Static, type TSchema, Type } from "typebox";
import { ReasonSchema } from "./context-reasons.ts";
import { type Micros, MicrosSchema, minuteUs, TimeInputSchema } from "./time.ts";
import { type OutsidePlanRule, outsidePlanRules, type TimeClass, timeClasses } from "./time-class.ts";

/**
 * Cells: what results are sums of. A cell is equipment × grid × shift × order, and where a dated policy or ideal cycle changes inside, one cell on each side
 * of the change. Times are integer µs, so that sums are exact in any order of adding.
 */

/** Fits every zone in use: offsets and their changes are multiples of it. */
export const gridUs: Micros = 15 * minuteUs;

/** How a site calculates: a dated, versioned policy (ISO 22400-2 leaves these to the user). Part of the rule version of every result. */
export const OeePolicySchema = Type.Object(
  {
    version: Type.String({ minLength: 1, maxLength: 64 }),
    microStopUs: Type.Integer({ minimum: 0, description: "Stops shorter than this are micro stops; 0: none is." }),
    microStopTo: Type.Enum(["availability", "effectiveness"]),
    outsidePlan: Type.Enum([...outsidePlanRules] as OutsidePlanRule[]),
    noOrder: Type.Enum(["busy", "notBusy"], {
      description: "Does time without an order stay in the planned busy time?",
    }),
    setUp: Type.Enum(["booked", "firstGoodPart"]),
    setUpParts: Type.Integer({
      minimum: 1,
      description: "The good part that ends a set-up which runs from the order change.",
    }),
    setUpQuantity: Type.Enum(["inside", "outside"], { description: "Do parts made in set-up count as produced?" }),
  },
  { $id: "OeePolicy", additionalProperties: false },
);
export type OeePolicy = Static<typeof OeePolicySchema>;

export const defaultOeePolicy: OeePolicy = {
  version: "default-1",
  microStopUs: 0,
  microStopTo: "availability",
  outsidePlan: "extend",
  noOrder: "busy",
  setUp: "booked",
  setUpParts: 1,
  setUpQuantity: "outside",
};

/** ISO 22400-2: produced, good, scrap, rework quantity. Good may be negative where rejects come after their parts; it is flagged, not clipped. */
export interface Quantities {
  pq: number;
  gq: number;
  sq: number;
  rq: number;
}
export const noQuantities = (): Quantities => ({ pq: 0, gq: 0, sq: 0, rq: 0 });

/**
 * Where quantities stand: `known` in planned busy time of known state, `setUp` in set-up, `unknown` across unknown time, `outside` outside the planned
 * busy time. All belong to order and shift; only the first (and the second by policy) to effectiveness and quality.
 */
export const quantityPlaces = ["known", "setUp", "unknown", "outside"] as const;
export type QuantityPlace = (typeof quantityPlaces)[number];

/** Standing time of one reason. `count`: stops that began here; a stop counts once for each of its reasons, whatever cuts it. */
export interface StopTime {
  reason: number;
  timeClass: TimeClass;
  micro: boolean;
  us: Micros;
  count: number;
}

export interface Cell {
  equipment: number;
  gridUs: Micros;
  /** Shift occurrence; null: outside every shift. */
  shift: string | null;
  /** Of the shift; outside of shifts the date of the site. */
  productionDay: string;
  order: string | null;
  operation: string | null;
  material: string | null;
  /** Of the quantities, UCUM. */
  unit: string;
  /** Version of the policy in force. */
  policy: string;
  /** Planned run time per item; null: no ideal cycle is known. */
  priUs: number | null;
  /** Units that one cycle makes with every cavity in use; null with `priUs`. */
  unitsPerCycle: number | null;
  timeUs: Record<TimeClass, Micros>;
  /** The part of `adet` that lies in micro stops. */
  microStopUs: Micros;
  /** Planned busy time in which parts may have been made that nobody counted. */
  countUnknownUs: Micros;
  quantities: Record<QuantityPlace, Quantities>;
  /** Produced units whose place in time is estimated; scrap that was put where the order last produced. */
  estimatedPq: number;
  assignedSq: number;
  stops: StopTime[];
}

const time = Type.Integer({ description: "µs" });
const quantitiesSchema = Type.Object({ pq: Type.Number(), gq: Type.Number(), sq: Type.Number(), rq: Type.Number() });
const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);

/** A cell as the API gives it. */
export const CellSchema = Type.Unsafe<Cell>(
  Type.Object(
    {
      equipment: Type.Integer(),
      gridUs: MicrosSchema,
      shift: nullable(Type.String()),
      productionDay: Type.String(),
      order: nullable(Type.String()),
      operation: nullable(Type.String()),
      material: nullable(Type.String()),
      unit: Type.String(),
      policy: Type.String(),
      priUs: nullable(Type.Number()),
      unitsPerCycle: nullable(Type.Number()),
      timeUs: Type.Object(Object.fromEntries(timeClasses.map((name) => [name, time]))),
      microStopUs: time,
      countUnknownUs: time,
      quantities: Type.Object(Object.fromEntries(quantityPlaces.map((place) => [place, quantitiesSchema]))),
      estimatedPq: Type.Number(),
      assignedSq: Type.Number(),
      stops: Type.Array(
        Type.Object({
          reason: Type.Integer(),
          timeClass: Type.Enum([...timeClasses]),
          micro: Type.Boolean(),
          us: time,
          count: Type.Integer(),
        }),
      ),
    },
    { $id: "Cell" },
  ),
);

/** Cells with what is needed to make numbers of them, and how far they can be relied on. */
export const CellsSchema = Type.Object(
  {
    fromUs: MicrosSchema,
    toUs: MicrosSchema,
    cells: Type.Array(CellSchema),
    timeZone: Type.String(),
    policies: Type.Array(OeePolicySchema, { description: "Those that cells name by their version." }),
    reasons: Type.Array(ReasonSchema, { description: "The reason tree, its starting vocabulary included." }),
    orphanedAnnotations: Type.Array(Type.String(), {
      description: "Ids of annotations that belong to no stop any more.",
    }),
    unplacedScrap: Type.Number({ description: "Late scrap for which no production was found." }),
    masterData: Type.Array(Type.Object({ entity: Type.String(), id: Type.String(), revision: Type.Integer() }), {
      description: "What people said that the cells rest on: the kind of master data, which one, and its revision.",
    }),
    finalBeforeUs: Type.Union([MicrosSchema, Type.Null()], { description: "What is later is provisional." }),
    repairing: Type.Boolean(),
  },
  { $id: "Cells" },
);
export type Cells = Static<typeof CellsSchema>;

export const cellRoutes = {
  listCells: {
    method: "GET",
    path: "/equipment/{id}/cells",
    summary:
      "What OEE is made of: quarters of an hour of a work unit under its orders, shifts and reasons, at most 31 days",
    permission: "read",
    params: Type.Object({ id: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
    query: Type.Object(
      {
        from: TimeInputSchema,
        to: TimeInputSchema,
        asOf: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: "Orders, shifts and reasons as they were known at this place in the log.",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    response: CellsSchema,
  },
} as const;

/** What cells are told apart by. */
export function cellKey(
  cell: Pick<
    Cell,
    | "equipment"
    | "gridUs"
    | "shift"
    | "productionDay"
    | "order"
    | "operation"
    | "material"
    | "unit"
    | "policy"
    | "priUs"
    | "unitsPerCycle"
  >,
): string {
  return JSON.stringify([
    cell.equipment,
    cell.gridUs,
    cell.shift,
    cell.productionDay,
    cell.order,
    cell.operation,
    cell.material,
    cell.unit,
    cell.policy,
    cell.priUs,
    cell.unitsPerCycle,
  ]);
}

const zeroTimes = Object.fromEntries(timeClasses.map((name) => [name, 0])) as Record<TimeClass, Micros>;

export function noTimes(): Record<TimeClass, Micros> {
  return { ...zeroTimes };
}
