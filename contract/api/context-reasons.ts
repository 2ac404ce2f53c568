import { type Static, Type } from "typebox";
import { type ItemState, itemStates, type OperationMode, operationModes } from "./facts.ts";
import { type PlannedClass, plannedClasses } from "./time-class.ts";

/** To which loss the time of a reason counts; the waterfall and MTBF read it. null: to none of its own (the class of its time says enough). */
export const reasonLosses = ["breakdown", "setUpAndAdjustment", "idlingAndMinorStops"] as const;
export type ReasonLoss = (typeof reasonLosses)[number];

const optional = <T extends string>(values: readonly T[]) => Type.Union([Type.Enum([...values]), Type.Null()]);

/** A reason why a machine is as it is: a node of a tree. `number` is what states carry as their cause. */
export const ReasonSchema = Type.Object(
  {
    number: Type.Integer({ minimum: 1, maximum: 33_554_431, description: "Stable; states carry it as their cause." }),
    parent: Type.Union([Type.Integer(), Type.Null()]),
    name: Type.Object(
      { en: Type.String({ minLength: 1, maxLength: 128 }), de: Type.String({ minLength: 1, maxLength: 128 }) },
      { additionalProperties: false },
    ),
    itemState: optional(itemStates),
    operationMode: optional(operationModes),
    planned: Type.Union([Type.Enum([...plannedClasses]), Type.Null()], {
      description: "Where its time goes if it is planned: out of the planned busy time. null: unplanned.",
    }),
    loss: optional(reasonLosses),
  },
  { $id: "Reason", additionalProperties: false },
);
export type Reason = Static<typeof ReasonSchema>;

type Said = [
  number: number,
  parent: number | null,
  en: string,
  de: string,
  itemState: ItemState | null,
  operationMode: OperationMode | null,
  planned: PlannedClass | null,
  loss: ReasonLoss | null,
];

const minor = "idlingAndMinorStops";
const setUp = "setUpAndAdjustment";
const starting: Said[] = [
  [1_000_000, null, "Running", "Läuft", "Executing", "Processing", null, null],
  [
    1_100_000,
    1_000_000,
    "Producing at full speed",
    "Produktion mit voller Geschwindigkeit",
    "Executing",
    "Processing",
    null,
    null,
  ],
  [
    1_200_000,
    1_000_000,
    "Producing at reduced speed",
    "Produktion mit verminderter Geschwindigkeit",
    "Executing",
    "Processing",
    null,
    null,
  ],
  [2_000_000, null, "Unknown", "Unbekannt", null, null, null, null],
  [3_000_000, null, "Unspecified stop", "Stillstand ohne Grund", "NotExecuting", "Processing", null, null],
  [3_100_000, 3_000_000, "Micro stop", "Kurzstillstand", "NotExecuting", "Processing", null, minor],
  [4_000_000, null, "Material", "Material", "NotExecuting", "Processing", null, minor],
  [4_100_000, 4_000_000, "Inlet starved", "Materialmangel im Zulauf", "NotExecuting", "Processing", null, minor],
  [4_200_000, 4_000_000, "Outlet blocked", "Stau im Auslauf", "NotExecuting", "Processing", null, minor],
  [4_300_000, 4_000_000, "Bypass", "Umfahrung", "NotExecuting", "Processing", null, minor],
  [4_900_000, 4_000_000, "Material, other", "Material, sonstiges", "NotExecuting", "Processing", null, null],
  [5_000_000, null, "Set-up", "Rüsten", "NotExecuting", "Setup", null, setUp],
  [5_100_000, 5_000_000, "Changeover", "Auftragswechsel", "NotExecuting", "Setup", null, setUp],
  [5_200_000, 5_000_000, "Cleaning", "Reinigung", "NotExecuting", "Setup", null, setUp],
  [5_300_000, 5_000_000, "Emptying", "Leerfahren", "NotExecuting", "Setup", null, setUp],
  [5_400_000, 5_000_000, "Setting up", "Einrichten", "NotExecuting", "Setup", null, setUp],
  [6_000_000, null, "Organisation", "Organisation", "NotExecuting", "None", null, null],
  [6_100_000, 6_000_000, "Operator absent", "Bediener abwesend", "NotExecuting", "Processing", null, null],
  [6_200_000, 6_000_000, "Break", "Pause", "NotExecuting", "None", "break", null],
  [6_300_000, 6_000_000, "No shift", "Keine Schicht", "NotExecuting", "None", "notPlanned", null],
  [6_400_000, 6_000_000, "No order", "Kein Auftrag", "NotExecuting", "None", null, null],
  [7_000_000, null, "Technical", "Technik", "OutOfService", "Processing", null, "breakdown"],
  [7_100_000, 7_000_000, "Equipment failure", "Maschinenstörung", "OutOfService", "Processing", null, "breakdown"],
  [7_200_000, 7_000_000, "External failure", "Externe Störung", "OutOfService", "Processing", null, null],
  [7_300_000, 7_000_000, "External interference", "Externer Eingriff", "NotExecuting", "Processing", null, null],
  [
    7_400_000,
    7_000_000,
    "Preventive maintenance",
    "Vorbeugende Instandhaltung",
    "NotExecuting",
    "Maintenance",
    "plannedMaintenance",
    null,
  ],
  [7_900_000, 7_000_000, "Technical, other", "Technik, sonstiges", "OutOfService", "Processing", null, "breakdown"],
  [8_000_000, null, "Quality", "Qualität", null, null, null, null],
  [8_100_000, 8_000_000, "Dimension", "Maß", null, null, null, null],
  [8_200_000, 8_000_000, "Surface", "Oberfläche", null, null, null, null],
  [8_300_000, 8_000_000, "Material fault", "Materialfehler", null, null, null, null],
  [8_400_000, 8_000_000, "Start-up part", "Anfahrteil", null, null, null, null],
  [8_900_000, 8_000_000, "Quality, other", "Qualität, sonstiges", null, null, null, null],
];

/** The vocabulary a plant starts with. Between two numbers is room for 99,999 reasons of its own, which go below one of these. */
export const startingReasons: readonly Reason[] = starting.map(
  ([number, parent, en, de, itemState, operationMode, planned, loss]) => ({
    number,
    parent,
    name: { en, de },
    itemState,
    operationMode,
    planned,
    loss,
  }),
);

/** Reasons that the platform gives itself where nobody gave one. */
export const ownReasons = {
  unspecifiedStop: 3_000_000,
  microStop: 3_100_000,
  settingUp: 5_400_000,
  noOrder: 6_400_000,
  /** Above those of scrap and rework. */
  quality: 8_000_000,
} as const;

export interface ReasonTreeFault {
  code: "reason_circular" | "reference_unknown" | "key_duplicate";
  number: number;
  detail: string;
}

/** What is wrong with a set of reasons as a tree, the first fault of each reason; empty when it is one. */
export function reasonTreeFaults(reasons: readonly Reason[]): ReasonTreeFault[] {
  const parents = new Map(reasons.map((reason) => [reason.number, reason.parent]));
  const faults: ReasonTreeFault[] = [];
  const seen = new Set<number>();
  for (const { number, parent } of reasons) {
    if (seen.has(number))
      faults.push({ code: "key_duplicate", number, detail: `The reason ${number} is named twice.` });
    else if (parent !== null && !parents.has(parent))
      faults.push({
        code: "reference_unknown",
        number,
        detail: `The reason ${number} stands below ${parent}, which is not there.`,
      });
    else if (comesBack(number, parents))
      faults.push({
        code: "reason_circular",
        number,
        detail: `Upwards from the reason ${number} the tree comes back to it.`,
      });
    seen.add(number);
  }
  return faults;
}

function comesBack(number: number, parents: ReadonlyMap<number, number | null>): boolean {
  let at = parents.get(number) ?? null;
  // A ring above that does not hold this reason is told for the reasons in it.
  for (let steps = 0; at !== null && steps <= parents.size; steps++) {
    if (at === number) return true;
    at = parents.get(at) ?? null;
  }
  return false;
}
