import { hourUs, type Micros } from "@lineshaft/contract/api";
import type { Binding } from "./binding.ts";
import type { Derivation } from "./engine.ts";
import type { GapLedger } from "./gaps.ts";
import { HistoryInputs, type RecordedPoints } from "./history-inputs.ts";
import { gapsOf } from "./inputs.ts";
import type { Slices } from "./slices.ts";
import { hourOf } from "./track.ts";

/** Where repairs read. */
export interface RepairSources {
  history: RecordedPoints;
  gaps: GapLedger;
  /** Nothing before this is derived. */
  oldest: Micros;
}

/** Repairs what is dirty of a kind out of history, hour by hour, and lets others have their turn in between; `repaired` is called behind each binding: are its facts others? */
export async function settle(
  derivation: Derivation,
  { history, gaps, oldest }: RepairSources,
  slices: Slices,
  signal: AbortSignal,
  which: (binding: Binding) => boolean,
  repaired: (binding: Binding, changed: boolean) => void,
): Promise<void> {
  const frozen = history.status.frozenBeforeUs;
  // The hour in which retention has cut is no longer whole.
  const frozenBefore = frozen === null ? undefined : hourOf(frozen + hourUs - 1);
  for (const { binding, run } of derivation.repairs(() => oldest, frozenBefore)) {
    if (!which(binding)) continue;
    const lost = gapsOf(binding.spec, (connection) => gaps.intervals(connection));
    const inputs = new HistoryInputs(history, binding.spec, lost, binding.exact ? derivation.texts : null);
    let step = run.next();
    while (!step.done) {
      signal.throwIfAborted();
      await slices.pause();
      step = run.next(await inputs.answer(step.value));
    }
    derivation.repaired(binding, step.value);
    repaired(binding, step.value.changes.length > 0);
  }
}
