/** disk: what this disk can do by itself: fdatasync after each append of 64 KiB, and a sequential write. */
import { measureSync, measureWrite } from "./lib/disk.ts";
import type { Bench } from "./lib/report.ts";

export const disk: Bench = {
  name: "disk",
  about: "this disk's own fdatasync p99, with p50 and sequential write beside it",
  unit: "ms",
  better: "lower",
  floor: null,
  target: null,
  async run({ quick, dir, say }) {
    const sync = await measureSync(dir, quick ? 1 : 10);
    const writeMBPerSecond = await measureWrite(dir, quick ? 64 : 1024);
    say(`fdatasync ms ${JSON.stringify(sync)}; sequential write ${writeMBPerSecond} MB/s`);
    return { value: sync.p99, p50: sync.p50, max: sync.max, count: sync.count, writeMBPerSecond };
  },
};
