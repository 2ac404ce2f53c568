/**
 * size: bytes that history takes for one datapoint of the factory mix: everything in its directory (files, roll-ups, checksums, indexes), as `du` counts, over the points
 * in it. Live data of 20,000 tags at full speed for the length of the run; then the server is left alone until it has closed its head into a file, and stopped. Beside the size that it
 * left: the value, after all compaction that is still to come (at the end of an hour, at night) has been done at once. The log is not counted: it is a window that passes.
 * `toldFacts`: bytes that the store behind `asOf` of facts takes for a machine and a day (lib/told-size.ts).
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openHistory } from "@lineshaft/platform/history";
import type { Bench } from "./lib/report.ts";
import { expectAllStored, Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, SharedClock, sleep } from "./lib/stats.ts";
import { toldFactsBytes } from "./lib/told-size.ts";

/** Rows wait in memory for at most 60 s. */
const headClosedMs = 75_000;

/** Bytes on disk, as `du` counts them. */
export function bytesBelow(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).blocks * 512;
  }
  return bytes;
}

/** Does at once what the nightly compaction does. Gives the rows in files. */
export async function compactAll(dir: string): Promise<{ rows: number; files: number }> {
  const shared = new SharedClock();
  const clock = {
    nowUs: () => shared.nowUs(),
    monotonicMs: () => performance.now(),
    sleep: async (ms: number, signal?: AbortSignal) => delay(ms, undefined, { signal }),
  };
  const history = await openHistory({ dir, clock });
  await history.compact();
  const { rows, files } = history.status;
  await history.close();
  return { rows, files };
}

export const size: Bench = {
  name: "size",
  about: "bytes per datapoint in history on the factory mix, everything included",
  unit: "B/dp",
  better: "lower",
  floor: 8,
  target: 4,
  async run({ seconds, dir, say }) {
    const dataDir = join(dir, "data");
    const historyDir = join(dataDir, "history");
    const server = await ServerProcess.start({ dataDir });
    const rig = await Rig.ready(server, { seconds });
    try {
      rig.go();
      const sent = await rig.generator.done();
      expectAllStored(sent);
      await server.settled(sent.lastLsn);
      say(`${sent.offered} points stored; waiting until history has closed its head …`);
      await sleep(headClosedMs);
      const filesLeft = (await server.system()).history.files;
      await server.stop();
      const bytesLeft = bytesBelow(historyDir);
      const { rows, files } = await compactAll(historyDir);
      if (rows !== sent.offered) throw new Error(`${rows} rows are in files; ${sent.offered} were acknowledged.`);
      const bytes = bytesBelow(historyDir);
      say(`${rows} points: ${bytesLeft} bytes in ${filesLeft} files as left, ${bytes} in ${files} after compaction`);
      const toldFacts = await toldFactsBytes(dir);
      say(`what was told of facts: ${round(toldFacts.bytesPerMachineAndDay / 1000)} kB for a machine and a day`);
      return {
        value: round(bytes / rows),
        points: rows,
        bytes,
        files,
        toldFacts,
        asLeft: { bytesPerPoint: round(bytesLeft / rows), files: filesLeft },
      };
    } finally {
      rig.end();
      await server.stop();
    }
  },
};
