// Hot path. The consumer process: follows the event stream through the client as told by its job (consumer.ts).
import { apiBase, type Columns, decodePointsFrame } from "@lineshaft/contract/api";
import { WebSocket } from "ws";
import type { ConsumerJob, ConsumerMessage, ConsumerResult } from "./consumer.ts";
import { endWith, tellParent } from "./helper-process.ts";
import { Samples, SharedClock } from "./stats.ts";

const tell = (message: ConsumerMessage): void => tellParent(message);

function run(job: ConsumerJob): void {
  const clock = new SharedClock(job.clockOffsetUs);
  const marker = new Uint8Array(Math.max(0, ...job.markerTags) + 1);
  for (const tag of job.markerTags) marker[tag] = 1;
  const latencyMs = new Samples();
  const sums = { rows: 0, late: 0, events: 0, reconnects: 0 };
  let firstUs = 0;
  let lastUs = 0;

  const take = (columns: Columns, late: boolean): void => {
    lastUs = clock.nowUs();
    if (sums.rows === 0) firstUs = lastUs;
    sums.rows += columns.rows;
    sums.events++;
    if (late) sums.late += columns.rows;
    const { tag, time } = columns;
    if (marker.length > 1)
      for (let i = 0; i < columns.rows; i++)
        if (tag[i] < marker.length && marker[tag[i]] === 1) latencyMs.add((lastUs - time[i]) / 1000);
    if (job.rows !== null && sums.rows >= job.rows) finish();
  };

  const finish = (): void => {
    const result: ConsumerResult = { ...sums, seconds: (lastUs - firstUs) / 1e6, latencyMs: latencyMs.summary() };
    endWith({ event: "done", result } satisfies ConsumerMessage);
  };
  process.on("message", (message: { command: string }) => {
    if (message.command === "stop") finish();
  });
  setInterval(() => tell({ event: "progress", rows: sums.rows }), 20);

  const socket = new WebSocket(`${job.url.replace(/^http/, "ws")}${apiBase}/stream`, {
    headers: { authorization: `Bearer ${job.key}` },
    perMessageDeflate: false,
  });
  let ready = false;
  socket.on("open", () => {
    const from = job.fromUs === null ? {} : { from: job.fromUs };
    socket.send(JSON.stringify({ subscribe: { types: ["points.recorded"], format: "columns", ...from } }));
  });
  socket.on("message", (data: Buffer, binary: boolean) => {
    // The first message says where the stream stands: from here on nothing is missed.
    if (!ready) tell({ event: "ready" });
    ready = true;
    if (!binary) return;
    const event = decodePointsFrame(data);
    take(event.columns, event.late);
  });
  socket.on("close", (code, reason) => {
    process.stderr.write(`consumer: the stream was closed: ${code} ${reason.toString()}\n`);
    process.exit(1);
  });
  socket.on("error", (error) => {
    process.stderr.write(`consumer: ${error.message}\n`);
    process.exit(1);
  });
}

process.once("message", (job) => run(job as ConsumerJob));
process.on("disconnect", () => process.exit(1));
