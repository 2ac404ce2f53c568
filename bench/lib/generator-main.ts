// Hot path. The generator process: sends the factory mix over HTTP as told by its job (generator.ts).
import { apiBase, type IngestReceipt } from "@lineshaft/contract/api";
import { type BatchFrame, binaryMediaType, FactoryMix, jitterMaxUs, rowsPerBatch } from "../factory-mix.ts";
import { Api } from "./api.ts";
import type { GeneratorJob, GeneratorMessage, GeneratorResult } from "./generator.ts";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";
import { HttpSource } from "./http-source.ts";
import { Samples, SharedClock, sleep } from "./stats.ts";

/** Session number of this run's sequences. */
const generation = Math.floor(Date.now() / 1000);
const retryLostMs = 10;
const retryRefusedMs = 25;

const tell = (message: GeneratorMessage): void => tellParent(message);

async function run(job: GeneratorJob): Promise<void> {
  const clock = new SharedClock(job.clockOffsetUs);
  const tagIds = await registerTags(job);
  const mix = new FactoryMix(tagIds);
  const sums = { offered: 0, requests: 0, suspect: 0, duplicates: 0, rejected: 0, refusals: 0, lastLsn: 0 };
  const ackMs = new Samples();
  let stopped = false;
  const go = new Promise<void>((resolve) => {
    process.on("message", (message: { command: string }) => {
      if (message.command === "go") resolve();
      if (message.command === "stop") stopped = true;
    });
  });
  tell({ event: "ready", tagIds });
  await go;

  const startUs = clock.nowUs();
  const cpu = process.cpuUsage();
  const endUs = job.seconds === null ? Infinity : startUs + job.seconds * 1e6;
  const progress = setInterval(() => tell({ event: "progress", acknowledged: sums.offered }), 100);
  const intervalUs = job.ratePerSecond === null ? 0 : (rowsPerBatch / job.ratePerSecond) * 1e6;
  const lastTimeUs = new Float64Array(mix.batches);

  /** The instant of a scan; null: there is no further one. */
  async function nextTimeUs(batch: number, scan: number): Promise<number | null> {
    if (job.backdated !== null)
      return scan < job.backdated.scans ? job.backdated.fromUs + scan * job.backdated.stepUs : null;
    let nowUs = clock.nowUs();
    if (intervalUs > 0) {
      const dueUs = startUs + (scan * mix.batches + batch) * intervalUs;
      // Late because the batch before was not yet acknowledged: it counts from when it was due.
      if (nowUs >= dueUs) nowUs = dueUs;
      while (nowUs < dueUs) {
        if (stopped || dueUs >= endUs) return null;
        // Timers round up to whole milliseconds: sleep short of the instant, then look again.
        await sleep(Math.max(1, Math.min(100, Math.floor((dueUs - nowUs) / 1000) - 1)));
        nowUs = clock.nowUs();
      }
    }
    if (stopped || nowUs >= endUs) return null;
    // Scans of a machine ascend strictly, jitter included.
    const timeUs = Math.max(nowUs, lastTimeUs[batch] + jitterMaxUs + 1);
    lastTimeUs[batch] = timeUs;
    return timeUs;
  }

  async function source(index: number): Promise<void> {
    const http = new HttpSource(job.url, job.key);
    const frame = mix.newFrame();
    const own: number[] = [];
    for (let b = index; b < mix.batches; b += job.sources) own.push(b);
    const path = `${apiBase}/ingest/${job.name}-${index}?generation=${generation}&sequence=`;
    let sequence = 0;
    for (let scan = 0; ; scan++) {
      for (const batch of own) {
        const timeUs = await nextTimeUs(batch, scan);
        if (timeUs === null) return http.close();
        mix.fill(frame, batch, scan, timeUs);
        await deliver(http, `${path}${++sequence}`, frame);
      }
    }
  }

  async function deliver(http: HttpSource, path: string, frame: BatchFrame): Promise<void> {
    const [type, body] =
      job.format === "binary" ? [binaryMediaType, frame.body] : ["application/json", FactoryMix.json(frame)];
    let lost = false;
    for (;;) {
      const sentUs = clock.nowUs();
      const answer = await http.post(path, type, body);
      sums.requests++;
      if (answer.status === 200) {
        const receipt = JSON.parse(answer.body) as IngestReceipt;
        const acknowledgedUs = clock.nowUs();
        ackMs.add((acknowledgedUs - sentUs) / 1000);
        sums.offered += receipt.offered;
        sums.suspect += receipt.suspect;
        sums.duplicates += receipt.duplicates;
        sums.rejected += receipt.rejected;
        sums.lastLsn = Math.max(sums.lastLsn, receipt.lsn);
        if (lost) tell({ event: "recovered", sentUs, acknowledgedUs });
        return;
      }
      if (answer.status === 0) {
        lost = true;
        await sleep(retryLostMs);
      } else if (answer.status === 429 || answer.status === 503) {
        sums.refusals++;
        await sleep(retryRefusedMs);
      } else throw new Error(`HTTP ${answer.status}: ${answer.body.slice(0, 500)}`);
      if (stopped && lost) return;
    }
  }

  await Promise.all(Array.from({ length: Math.min(job.sources, mix.batches) }, (_, i) => source(i)));
  clearInterval(progress);
  tell({ event: "progress", acknowledged: sums.offered });
  const seconds = (clock.nowUs() - startUs) / 1e6;
  const result: GeneratorResult = { ...sums, seconds, cpuSeconds: cpuSecondsSince(cpu), ackMs: ackMs.summary() };
  endWith({ event: "done", result } satisfies GeneratorMessage);
}

/** Raw tag ids of the whole factory, in its order; each source brings the tags of its batches. */
async function registerTags(job: GeneratorJob): Promise<number[]> {
  const api = new Api(job.url, job.key);
  const ids = new Array<number>(job.tags);
  const batches = job.tags / rowsPerBatch;
  for (let source = 0; source < Math.min(job.sources, batches); source++) {
    const positions: number[] = [];
    for (let b = source; b < batches; b += job.sources)
      for (let i = 0; i < rowsPerBatch; i++) positions.push(b * rowsPerBatch + i);
    const answer = await api.post<{ ids: (number | null)[] }>(`/connections/${job.name}-${source}/tags/resolve`, {
      addresses: positions.map((i) => FactoryMix.address(i)),
    });
    for (const [i, id] of answer.ids.entries()) {
      if (id === null) throw new Error(`Tag ${FactoryMix.address(positions[i])} was refused.`);
      ids[positions[i]] = id;
    }
  }
  return ids;
}

process.once("message", (job) => {
  run(job as GeneratorJob).catch((error: unknown) => {
    process.stderr.write(`generator: ${(error as Error).stack}\n`);
    process.exit(1);
  });
});
// Without a parent there is nothing to do.
process.on("disconnect", () => process.exit(1));
