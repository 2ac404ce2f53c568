import type { Disk, Log, Lsn } from "@lineshaft/contract/ports";
import type { SumLedger, TagDirectory } from "@lineshaft/platform/ingest";
import { saveSnapshot, type Views } from "@lineshaft/platform/values";

/** Saves the views of the main thread where they have moved since, and lets the log go behind the snapshot before. `saved`: the LSN of the one on disk. */
export function viewSaver(
  parts: { disk: Disk; dir: string; log: Log; views: Views; sums: SumLedger; directory: TagDirectory },
  saved: Lsn,
): () => Promise<void> {
  const { disk, dir, log, views, sums, directory } = parts;
  return async () => {
    const at = views.appliedLsn;
    if (at === saved) return;
    await saveSnapshot(
      disk,
      dir,
      {
        appliedLsn: at,
        generation: log.status.generation,
        unjudged: [...views.unjudged],
        sums: sums.toJSON(),
        connections: [...directory.connections].map(({ id, durable, lastBatchUs }) => ({ id, durable, lastBatchUs })),
        values: views.values,
      },
      directory.tagBound,
    );
    // The log must reach back to the snapshot before this one, in case this one rots.
    log.pin("views", saved + 1);
    saved = at;
  };
}
