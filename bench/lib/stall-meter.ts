/**
 * Loaded into a server beside its own code: how long its main thread is busy at a stretch. A timer that is due each 5 ms notes how long it was kept waiting, and how much of
 * that the thread computed, since on a busy machine it also waits for its turn. A line a second goes to the file that `LINESHAFT_STALLS` names: the instant in ms, then pairs of both in ms.
 */
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const everyMs = 5;
const file = process.env.LINESHAFT_STALLS;

if (isMainThread && file !== undefined) {
  let last = performance.now();
  let cpu = process.threadCpuUsage();
  let pairs: number[] = [];
  let written = last;
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage(cpu);
    pairs.push(
      Math.round(10 * Math.max(0, now - last - everyMs)) / 10,
      Math.round((used.user + used.system) / 100) / 10,
    );
    last = now;
    if (now - written >= 1000) {
      written = now;
      appendFileSync(file, `${JSON.stringify([Math.round(performance.timeOrigin + now), ...pairs])}\n`);
      pairs = [];
    }
    cpu = process.threadCpuUsage();
    last = performance.now();
  }, everyMs).unref();
}
