import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { dayUs, secondUs, stateCode } from "@lineshaft/contract/api";
import { encodeFacts, type FactsRows, type Frame, type Log, recordType } from "@lineshaft/contract/ports";
import { openToldFacts } from "@lineshaft/platform/told-facts";
import { SharedClock } from "./stats.ts";

const machines = 20;
const partUs = 10 * secondUs;
/** On average so many parts between two changes of state. */
const partsAState = 30;
const codes = [stateCode("Executing", "Processing"), stateCode("NotExecuting", "Processing")];

/**
 * Bytes on the disk that what was told of facts takes for one machine and one day: a part about every 10 s, a change of state about every five minutes, each told in a record
 * of its own time as soon as it is final, nothing told twice.
 */
export async function toldFactsBytes(dir: string): Promise<{ bytesPerMachineAndDay: number; parts: number }> {
  const endUs = Math.floor(new SharedClock().nowUs() / dayUs) * dayUs;
  const clock = { nowUs: () => endUs, monotonicMs: () => performance.now(), sleep: async () => undefined };
  mkdirSync(join(dir, "told"));
  const path = join(dir, "told", "told-facts.sqlite");
  // It reads nothing of the log: frames are handed to it.
  const log = { status: { generation: 1, firstLsn: 1, durableLsn: 0 } } as Log;
  const told = openToldFacts({ path, log, clock, keptUs: 32 * dayUs, applied: async () => undefined });
  let parts = 0;
  let x = 20_261_126;
  const random = (): number => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return x / 2 ** 32;
  };
  const last = Array.from({ length: machines }, () => endUs - dayUs);
  const running = Array.from({ length: machines }, () => true);
  for (let lsn = 1; lsn <= dayUs / partUs; lsn++) {
    const rows: FactsRows = { ranges: [], states: [], counts: [], alarms: [], identifiers: [] };
    for (let equipment = 1; equipment <= machines; equipment++) {
      const from = last[equipment - 1];
      const time = Math.floor(endUs - dayUs + (lsn - 1) * partUs + random() * partUs);
      const range = { equipment, from: from + 1, to: time, cause: "points", lsn } as const;
      if (random() < 1 / partsAState) {
        running[equipment - 1] = !running[equipment - 1];
        rows.ranges.push({ ...range, what: "states" });
        rows.states.push({ equipment, time: from + 1, code: codes[running[equipment - 1] ? 0 : 1] });
      }
      rows.ranges.push({ ...range, what: "counts" });
      rows.counts.push({ equipment, source: from, time, value: 1, kind: 0, flags: 0 });
      last[equipment - 1] = time;
      parts++;
    }
    const frame = { type: recordType.factsChanged, lsn, recordedTime: endUs - dayUs + lsn * partUs, tenant: 1 };
    told.apply([{ ...frame, payload: encodeFacts(rows) } as Frame]);
  }
  // Its end brings all of it into the one file.
  told.close();
  return { bytesPerMachineAndDay: Math.round((statSync(path).blocks * 512) / machines), parts };
}
