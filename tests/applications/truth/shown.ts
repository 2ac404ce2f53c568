import type { Micros } from "@lineshaft/contract/api";
import { type MachineKind, type MachineTruth, stateCodes } from "@lineshaft/simulation/plant";
import { asTold, type CountName, countedBy, counterNames, type Span, toldAt } from "@lineshaft/simulation/truth";

/** One row as a machine tells it. */
export interface Row {
  what: "state" | "mode" | CountName;
  t: Micros;
  value: number | string;
}

/** What becomes of a machine's values before they are told; empty: nothing. */
export interface Disturbed {
  /** Values stay what they are, and jump at the end. */
  frozen: Span | null;
  /** The clock is so far ahead within the span; pulses only, since they say nothing but their time. */
  skew: (Span & { byUs: Micros }) | null;
  /** Values told so many times between two scans. */
  burst: Span | null;
  /** Counters begin anew at 0. */
  resets: readonly Micros[];
  /** What a 16-bit counter showed at the beginning; null: counters are wide. */
  rollsOverFrom: number | null;
  /** All present values are told once more. */
  repeatedAt: readonly Micros[];
}

/** The truth as its controller shows it: with a frozen value things seem to happen when it thaws, with a wrong clock at another time. */
export function shownBy(truth: MachineTruth, { frozen, skew }: Disturbed): MachineTruth {
  const shown = (t: Micros): Micros => {
    if (frozen !== null && t >= frozen.fromUs && t < frozen.toUs) return frozen.toUs;
    return skew !== null && t >= skew.fromUs && t < skew.toUs ? t + skew.byUs : t;
  };
  const states = truth.states.map((state, i) => (i === 0 ? state : { ...state, fromUs: shown(state.fromUs) }));
  return {
    ...truth,
    // Of several that show at one instant the last is seen.
    states: states.filter(({ fromUs }, i) => states[i + 1]?.fromUs !== fromUs),
    pieces: truth.pieces.map((piece) => ({ ...piece, atUs: shown(piece.atUs) })).sort((a, b) => a.atUs - b.atUs),
  };
}

/** For machines that tell numbers: of PackML, or of a table of their own. */
const packMl = { Executing: 6, NotExecuting: 11, OutOfService: 9, NotAvailable: 2 };
const ownNumber = (state: MachineTruth["states"][number]): number =>
  stateCodes.findIndex(
    (row) =>
      row.itemState === state.itemState && row.operationMode === state.operationMode && row.cause === state.cause,
  );

/** All rows of a machine that nothing is lost of, in order of time. */
export function rowsOf(kind: MachineKind, shown: MachineTruth, disturbed: Disturbed, back: readonly Micros[]): Row[] {
  const { telling } = kind;
  const rows: Row[] = [];
  if (telling.states === "pulses") {
    for (const { atUs, kind: what } of shown.pieces) rows.push({ what, t: atUs, value: 1 });
    return rows;
  }
  const again = [...back, ...repeatedBy(disturbed)];
  const stateAt = (t: Micros) => shown.states.findLast(({ fromUs }) => fromUs <= t) ?? shown.states[0];
  for (const t of new Set([...shown.states.map(({ fromUs }) => fromUs), ...again])) {
    const state = stateAt(t);
    const { itemState, operationMode } = asTold(state, telling);
    if (telling.states === "code") rows.push({ what: "state", t, value: ownNumber(state) });
    else if (telling.states === "packml") rows.push({ what: "state", t, value: packMl[itemState ?? "NotAvailable"] });
    else {
      rows.push({ what: "state", t, value: itemState ?? "" });
      rows.push({ what: "mode", t, value: operationMode ?? "" });
    }
  }
  for (const what of counterNames(telling)) rows.push(...counterRows(kind, shown, what, disturbed, again));
  return rows.sort((a, b) => a.t - b.t);
}

/** What counters showed at the beginning: so that one that begins anew shows less than before. */
const delivered = 20_000;

function counterRows(
  { telling }: MachineKind,
  shown: MachineTruth,
  what: CountName,
  { resets, rollsOverFrom }: Disturbed,
  again: readonly Micros[],
): Row[] {
  const pieces = countedBy(shown, telling, what);
  const times = [...new Set([...toldAt(shown, telling, what), ...again])].sort((a, b) => a - b);
  let value = rollsOverFrom ?? delivered;
  let next = 0;
  let reset = 0;
  return times.map((t) => {
    for (; next < pieces.length && pieces[next].atUs <= t; next++) {
      for (; reset < resets.length && resets[reset] < pieces[next].atUs; reset++) value = 0;
      value += pieces[next].n;
    }
    for (; reset < resets.length && resets[reset] <= t; reset++) value = 0;
    return { what, t, value: rollsOverFrom === null ? value : value % 65_536 };
  });
}

/** When all present values were told besides. */
export const repeatedBy = ({ repeatedAt, burst }: Disturbed): Micros[] => [...repeatedAt, ...burstTimes(burst)];

/** Ten times as often as a controller looks. */
function burstTimes(burst: Span | null): Micros[] {
  if (burst === null) return [];
  return Array.from({ length: 100 }, (_, i) => burst.fromUs + Math.floor((i * (burst.toUs - burst.fromUs)) / 100));
}
