import { hourUs } from "@lineshaft/contract/api";
import type { Clock, Lsn } from "@lineshaft/contract/ports";
import type { Binding } from "./binding.ts";
import type { Derivation } from "./engine.ts";
import { type GapLedger, united } from "./gaps.ts";
import { HistoryInputs, type RecordedPoints } from "./history-inputs.ts";
import { factsKeptUs } from "./kept.ts";
import { hourOf } from "./track.ts";

/** How often it is looked whether history has caught up. */
const historyMs = 20;

/** Repairs dirty bindings of a kind out of history, once that has seen as much of the log; tells those whose facts are others now. */
export async function repairAll(
  derivation: Derivation,
  parts: { history: RecordedPoints; clock: Clock; gaps: GapLedger; takenLsn: Lsn; signal: AbortSignal },
  which: (binding: Binding) => boolean,
  changed: (binding: Binding) => void,
): Promise<void> {
  const { history, clock, gaps, takenLsn, signal } = parts;
  if (derivation.dirty === 0) return;
  while (history.status.appliedLsn < takenLsn) await clock.sleep(historyMs, signal);
  const oldest = clock.nowUs() - factsKeptUs;
  const frozen = history.status.frozenBeforeUs;
  // The hour in which retention has cut is no longer whole.
  const frozenBefore = frozen === null ? undefined : hourOf(frozen + hourUs - 1);
  for (const { binding, run } of derivation.repairs(() => oldest, frozenBefore)) {
    if (!which(binding)) continue;
    const connections = new Set(binding.spec.channels.map(({ connection }) => connection));
    const known = united([...connections].flatMap((connection) => gaps.intervals(connection)));
    const inputs = new HistoryInputs(history, binding.spec, known, binding.exact ? derivation.texts : null);
    let step = run.next();
    while (!step.done) {
      signal.throwIfAborted();
      step = run.next(await inputs.answer(step.value));
    }
    derivation.repaired(binding, step.value);
    if (step.value.changes.length > 0) changed(binding);
  }
}
