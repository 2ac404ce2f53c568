/**
 * A writer in a process of its own, for the tests that kill it or spoil its system calls: `node process.fixture.ts <dir> [<records>]`.
 * Prints one line a record: `ack <lsn>`, `<problem code> <lsn>`, and events as `event <code>`. LINESHAFT_CRASH=K3:5 kills it when it
 * passes K3 for the fifth time.
 */
import { writeSync } from "node:fs";
import { recordType } from "@lineshaft/contract/ports";
import { lockDataDir, nodeDisk, openLog } from "./index.ts";

const [dir, records = "1000000"] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

try {
  lockDataDir(dir);
} catch (error) {
  say(`${(error as { code: string }).code} ${(error as Error).message}`);
  process.exit(3);
}

let [point, count] = (process.env.LINESHAFT_CRASH ?? ":0").split(":");
const log = await openLog({
  dir: `${dir}/log`,
  disk: nodeDisk(),
  clock: {
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    monotonicMs: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
  segmentBytes: 4_000,
  retention: { maxBytes: 200_000 },
  onEvent: (event) => say(`event ${event.code}`),
  crashPoint: (name) => {
    if (name !== point) return;
    count = String(Number(count) - 1);
    if (count === "0") process.kill(process.pid, "SIGKILL");
  },
});
say("open");
for (let i = 0; i < Number(records); i++) {
  const burst = Array.from({ length: 1 + (i % 3) }, (_, k) => {
    const payload = Buffer.alloc(50 + 37 * (i % 7), `${i}.${k};`);
    const { lsn, durable } = log.append({ tenant: 1, partition: 0, type: recordType.points, payload });
    return durable.then(
      () => say(`ack ${lsn} ${payload.length}`),
      (error: { code: string }) => say(`${error.code} ${lsn}`),
    );
  });
  await Promise.all(burst);
}
point = "";
await log.close();
