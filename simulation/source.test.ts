import {
  decodeColumns,
  type IngestReceipt,
  minuteUs,
  type RouteName,
  type RouteQuery,
  secondUs,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { backOffMs } from "./back-off.ts";
import { lineKinds, PlantLine } from "./plant/index.ts";
import { type Platform, PlatformError } from "./platform.ts";
import { Source } from "./source.ts";

interface Sent {
  frame: Uint8Array;
  query: RouteQuery<"ingest">;
}

const startUs = Date.UTC(2026, 10, 22, 12) * 1000;
const [kind] = lineKinds;

/** A platform that answers as told, under a clock that moves only while the source waits. */
function rig(options: {
  cursor?: string;
  historyUs?: number;
  speed?: number;
  answer(sent: Sent, n: number): "durable" | PlatformError;
  stopWhen(sent: Sent[]): boolean;
}) {
  const sent: Sent[] = [];
  const said: string[] = [];
  const stop = new AbortController();
  let nowUs = startUs;
  const { speed = 1 } = options;
  const platform: Platform = {
    call: async <N extends RouteName>(name: N) => {
      if (name !== "getSourceCursor") throw new Error(`unexpected ${name}`);
      if (options.cursor === undefined) throw new PlatformError(404, "not_found", "no such connection");
      return { sourceCursor: options.cursor, generation: 1, sequence: 1 } as never;
    },
    ingest: async (_, frame, query) => {
      sent.push({ frame, query });
      const answer = options.answer(sent[sent.length - 1], sent.length);
      if (options.stopWhen(sent)) stop.abort();
      if (answer !== "durable") throw answer;
      return { ack: "durable" } as IngestReceipt;
    },
  };
  const source = new Source({
    platform,
    clock: { nowUs: () => nowUs, stampUs: (us) => startUs + (us - startUs) / speed },
    waiting: {
      sleep: async (ms) => {
        nowUs += Math.ceil(ms * 1000 * speed);
      },
      random: () => 0.5,
    },
    lineAt: (fromUs) => new PlantLine(kind, 1, fromUs),
    connection: kind.connection,
    generation: 7,
    speed,
    historyUs: options.historyUs ?? 5 * minuteUs,
    say: (text) => said.push(text),
  });
  return { sent, said, source, run: () => source.run(stop.signal) };
}

const away = new PlatformError(0, "unreachable", "The platform does not answer.");

describe("a line on its way to the platform", () => {
  it("sends its history first on an empty platform, then goes on live", async () => {
    const { sent, run } = rig({ answer: () => "durable", stopWhen: (s) => s.length === 12 });
    await run();
    const times = sent.map(({ frame }) => decodeColumns(frame).columns.time);
    expect(times[0][0]).toBeGreaterThanOrEqual(startUs - 5 * minuteUs - 4_000);
    expect(times[0][0]).toBeLessThan(startUs - 5 * minuteUs + secondUs);
    expect(times[11][0]).toBeGreaterThan(startUs);
    const all = times.flatMap((t) => [...t]);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(sent.map(({ query }) => query.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("sends a batch without an answer again: same rows, same generation and sequence; says so once", async () => {
    const { sent, said, source, run } = rig({
      answer: (_, n) => (n >= 3 && n <= 9 ? away : "durable"),
      stopWhen: (s) => s.length === 12,
    });
    await run();
    for (let i = 3; i < 10; i++) expect(sent[i]).toEqual(sent[2]);
    expect(sent[10].query.sequence).toBe(4);
    expect(said).toEqual([
      `${kind.connection}: The platform does not answer.`,
      `${kind.connection}: the platform is back.`,
    ]);
    expect(source.sums.retried).toBe(1);
  });

  it("goes on where the platform says its last durable batch ended", async () => {
    const cursor = startUs - 30 * secondUs;
    const { sent, run } = rig({ cursor: String(cursor), answer: () => "durable", stopWhen: (s) => s.length === 1 });
    await run();
    const { columns } = decodeColumns(sent[0].frame);
    expect(columns.time[0]).toBeGreaterThanOrEqual(cursor - 4_000);
    expect(columns.time[0]).toBeLessThan(cursor + secondUs / 5 + 4_000);
  });

  it("leaves out a batch that is refused for good, and counts it", async () => {
    const refusal = new PlatformError(422, "columns_invalid", "Not a frame.");
    const { sent, source, run } = rig({
      answer: (_, n) => (n === 2 ? refusal : "durable"),
      stopWhen: (s) => s.length === 4,
    });
    await run();
    expect(sent.map(({ query }) => query.sequence)).toEqual([1, 2, 3, 4]);
    expect(source.sums.refused).toBe(decodeColumns(sent[1].frame).columns.rows);
  });

  it("lives faster at a higher speed, but never stamps the future", async () => {
    const { sent, run } = rig({
      speed: 10,
      historyUs: minuteUs,
      answer: () => "durable",
      stopWhen: (s) => s.length === 4,
    });
    await run();
    const last = decodeColumns(sent[3].frame).columns.time;
    // Three batches of live plant, half a second each.
    expect(last[last.length - 1]).toBeGreaterThan(startUs + 0.9 * secondUs);
    expect(last[last.length - 1]).toBeLessThan(startUs + 2 * secondUs);
  });

  it("waits between 50 ms and 10 s, longer with each attempt, never in step", () => {
    expect(backOffMs(0, 0)).toBe(50);
    expect(backOffMs(0, 1)).toBe(250);
    expect(backOffMs(3, 1)).toBe(1650);
    expect(backOffMs(100, 1)).toBe(10_050);
  });
});
