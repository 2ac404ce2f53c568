import { type Micros, secondUs } from "@lineshaft/contract/api";
import type { Look } from "./line.ts";
import { emptyTruth, type MachineTruth } from "./truth.ts";

/** Writes down what really happens on a line whose model goes from scan to scan. */
export class TruthRecorder {
  readonly truths = new Map<string, MachineTruth>();
  readonly #last = new Map<string, Look>();
  readonly #alarm = new Map<string, number>();
  readonly #sampledSeconds: (machine: string) => number | null;

  /**
   * `sampledSeconds`: how often a machine's counters are read; null: as they change. Pieces are written down when somebody could see them, and whenever anything else changes: a filler makes ten a second, which
   * nobody tells apart.
   */
  constructor(sampledSeconds: (machine: string) => number | null) {
    this.#sampledSeconds = sampledSeconds;
  }

  /** The line as it is in the scan of `t`. */
  record(t: Micros, looks: readonly Look[]): void {
    for (const look of looks) {
      const truth = this.truths.get(look.machine) ?? emptyTruth(t, t);
      this.truths.set(look.machine, truth);
      this.#alarms(truth, t, look);
      const last = this.#last.get(look.machine);
      const changed =
        last === undefined ||
        last.itemState !== look.itemState ||
        last.operationMode !== look.operationMode ||
        last.order !== look.order;
      // Counts of a scan belong to what was until then.
      const everySeconds = this.#sampledSeconds(look.machine);
      const isRead = everySeconds === null ? isCounted(last, look) : t % (everySeconds * secondUs) === 0;
      if (changed || isRead) {
        this.#pieces(truth, t, last, look);
        if (changed) this.#changes(truth, t, last, look);
        this.#last.set(look.machine, look);
      }
    }
  }

  /** The last order goes on until this instant, as far as anybody knows. */
  until(t: Micros): void {
    for (const truth of this.truths.values()) {
      truth.toUs = t;
      const open = truth.executions.at(-1);
      if (open !== undefined) open.toUs = t;
    }
  }

  /** An alarm is there up to the scan in which it is no more; one that is still there ends with what was looked at. */
  #alarms({ alarms }: MachineTruth, t: Micros, { machine, alarm }: Look): void {
    const before = this.#alarm.get(machine) ?? 0;
    this.#alarm.set(machine, alarm);
    const open = alarms.at(-1);
    if (before !== 0 && open !== undefined) open.toUs = t;
    if (alarm !== before && alarm !== 0) alarms.push({ code: alarm, fromUs: t, toUs: t });
  }

  #pieces({ pieces }: MachineTruth, atUs: Micros, last: Look | undefined, look: Look): void {
    const scrap = look.scrapped - (last?.scrapped ?? 0);
    const good = look.produced - (last?.produced ?? 0) - scrap;
    if (good > 0) pieces.push({ atUs, kind: "good", n: good });
    if (scrap > 0) pieces.push({ atUs, kind: "scrap", n: scrap });
  }

  #changes(truth: MachineTruth, t: Micros, last: Look | undefined, look: Look): void {
    const { itemState, operationMode, text, order, material, ordered } = look;
    if (last?.itemState !== itemState || last.operationMode !== operationMode)
      truth.states.push({ fromUs: t, itemState, operationMode, cause: 0, text });
    if (last?.order === order) return;
    const open = truth.executions.at(-1);
    if (open !== undefined) open.toUs = t;
    truth.executions.push({ order, material, cavities: 1, quantity: ordered, fromUs: t, toUs: t });
  }
}

const isCounted = (last: Look | undefined, look: Look): boolean =>
  last?.produced !== look.produced || last.scrapped !== look.scrapped;
