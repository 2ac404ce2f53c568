/**
 * size: bytes that history takes for one datapoint of the factory mix: everything in its directory (files, roll-ups, checksums, indexes), after its compactions have
 * come to rest, divided by the points stored. Live data of 20,000 tags at full speed; the log is not counted, it is a window that passes.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./lib/report.ts";
import { expectAllStored, Rig } from "./lib/rig.ts";
import { ServerProcess } from "./lib/server.ts";
import { round, sleep } from "./lib/stats.ts";

/** Bytes on disk, as `du` counts them. */
export function bytesBelow(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    bytes += entry.isDirectory() ? bytesBelow(path) : statSync(path).blocks * 512;
  }
  return bytes;
}

export const size: Bench = {
  name: "size",
  about: "bytes per datapoint in history on the factory mix, everything included",
  unit: "B/dp",
  better: "lower",
  floor: 8,
  target: 4,
  async run({ quick, seconds, dir, say }) {
    const dataDir = join(dir, "data");
    const server = await ServerProcess.start({ dataDir });
    const rig = await Rig.ready(server, { seconds });
    try {
      rig.go();
      const sent = await rig.generator.done();
      expectAllStored(sent);
      const status = await server.settled(sent.lastLsn);
      const historyDir = join(dataDir, "history");
      const runningBytes = bytesBelow(historyDir);
      // A stop closes the head into a file; at rest are the files that a restart finds.
      let bytes = runningBytes;
      for (let still = 0, waited = 0; still < 5 && waited < (quick ? 5 : 150); waited++) {
        await sleep(1_000);
        const now = bytesBelow(historyDir);
        still = now === bytes ? still + 1 : 0;
        bytes = now;
        if (waited < 70 && !quick) still = 0;
      }
      await server.stop();
      bytes = bytesBelow(historyDir);
      const points = status.sums.stored;
      say(`${points} points, ${bytes} bytes (${runningBytes} when the last was stored), ${status.history.files} files`);
      return {
        value: round(bytes / points),
        points,
        bytes,
        uncompactedBytesPerPoint: round(runningBytes / points),
        files: status.history.files,
      };
    } finally {
      rig.end();
      await server.stop();
    }
  },
};
