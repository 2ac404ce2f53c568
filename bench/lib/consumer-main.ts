// Hot path. The consumer process: follows the event stream through the SDK as told by its job (consumer.ts).
import { connectLineshaft } from "@lineshaft/client";
import type { Columns } from "@lineshaft/contract/api";
import type { ConsumerJob, ConsumerMessage, ConsumerResult } from "./consumer.ts";
import { cpuSecondsSince, endWith, tellParent } from "./helper-process.ts";
import { Samples, SharedClock } from "./stats.ts";

const tell = (message: ConsumerMessage): void => tellParent(message);

async function run(job: ConsumerJob): Promise<void> {
  const clock = new SharedClock(job.clockOffsetUs);
  const marker = new Uint8Array(Math.max(0, ...job.markerTags) + 1);
  for (const tag of job.markerTags) marker[tag] = 1;
  const latencyMs = new Samples();
  const sums = { rows: 0, late: 0, events: 0, reconnects: 0 };
  let firstUs = 0;
  let lastUs = 0;
  let seen = new Uint8Array(65_536);
  let tags = 0;
  let cpu = process.cpuUsage();

  const finish = (): void => {
    const seconds = (lastUs - firstUs) / 1e6;
    const cpuSeconds = cpuSecondsSince(cpu);
    const result: ConsumerResult = { ...sums, seconds, cpuSeconds, latencyMs: latencyMs.summary() };
    endWith({ event: "done", result } satisfies ConsumerMessage);
  };
  const take = (columns: Columns, late: boolean): void => {
    lastUs = clock.nowUs();
    if (sums.rows === 0) firstUs = lastUs;
    sums.rows += columns.rows;
    sums.events++;
    if (late) sums.late += columns.rows;
    countTags(columns);
    if (marker.length > 1) {
      const { tag, time } = columns;
      for (let i = 0; i < columns.rows; i++)
        if (tag[i] < marker.length && marker[tag[i]] === 1) latencyMs.add((lastUs - time[i]) / 1000);
    }
    if (job.rows !== null && sums.rows >= job.rows) finish();
  };
  const countTags = ({ rows, tag }: Columns): void => {
    for (let i = 0; i < rows; i++) {
      const id = tag[i];
      if (id >= seen.length) {
        const wider = new Uint8Array(id * 2);
        wider.set(seen);
        seen = wider;
      }
      tags += 1 - seen[id];
      seen[id] = 1;
    }
  };
  process.on("message", (message: { command: string }) => {
    if (message.command === "stop") finish();
  });
  setInterval(() => tell({ event: "progress", rows: sums.rows, tags }), 20);

  let ready = false;
  const platform = connectLineshaft({ url: job.url, key: job.key });
  const events = platform.subscribe(
    { types: ["points.recorded"], format: "columns", ...(job.fromUs === null ? {} : { from: job.fromUs }) },
    {
      // The first cursor says where the stream stands: from here on nothing is missed.
      onCursor: () => {
        if (ready) return;
        ready = true;
        cpu = process.cpuUsage();
        tell({ event: "ready" });
      },
      onState: (state) => {
        if (state === "waiting") sums.reconnects++;
      },
    },
  );
  for await (const event of events) if (event.type === "points.recorded") take(event.columns, event.late);
}

process.once("message", (job) => {
  run(job as ConsumerJob).catch((error: unknown) => {
    process.stderr.write(`consumer: ${(error as Error).stack}\n`);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(1));
