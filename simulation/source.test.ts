import type { NamedColumns } from "@lineshaft/client";
import { UnreachableError } from "@lineshaft/client";
import { minuteUs, ProblemError, secondUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lineKinds, PlantLine } from "./plant/index.ts";
import { Source } from "./source.ts";

// Twenty minutes into a shift: everything runs, and little has to be played first.
const startUs = Date.UTC(2026, 10, 22, 5, 20) * 1000;
const [kind] = lineKinds;

interface Written {
  times: Float64Array;
  cursor: string;
}

/** A platform that answers as told, under a clock that moves only while the source waits. */
function rig(options: {
  cursor?: () => string | null;
  historyUs?: number;
  speed?: number;
  write?(written: Written, n: number): void;
  /** Batches after which the source is stopped. */
  batches: number;
}) {
  const written: Written[] = [];
  const said: string[] = [];
  const stop = new AbortController();
  let nowUs = startUs;
  const { speed = 1 } = options;
  const source = new Source({
    uplink: {
      connection: "line",
      cursor: async () => options.cursor?.() ?? null,
      write: async ({ columns }: NamedColumns, cursor: string) => {
        written.push({ times: columns.time, cursor });
        if (written.length === options.batches) stop.abort();
        options.write?.(written[written.length - 1], written.length);
      },
    },
    clock: { nowUs: () => nowUs, stampUs: (us) => startUs + (us - startUs) / speed },
    waiting: {
      sleep: async (ms) => {
        nowUs += Math.ceil(ms * 1000 * speed);
      },
      alarm: () => ({ cancel: () => {} }),
    },
    lineAt: (fromUs) => new PlantLine(kind, 1, fromUs),
    speed,
    historyUs: options.historyUs ?? 5 * minuteUs,
    say: (text) => said.push(text),
  });
  return { written, said, source, run: () => source.run(stop.signal) };
}

describe("a line on its way to the platform", () => {
  it("sends its history first on an empty platform, then goes on live", async () => {
    const { written, run, said } = rig({ batches: 12 });
    await run();
    const times = written.flatMap((batch) => [...batch.times]);
    expect(times[0]).toBeGreaterThanOrEqual(startUs - 5 * minuteUs - 4_000);
    expect(times[0]).toBeLessThan(startUs - 5 * minuteUs + secondUs);
    expect(times[times.length - 1]).toBeGreaterThan(startUs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(said).toEqual([]);
  });

  it("goes on where the platform says its last durable batch ended", async () => {
    const cursor = startUs - 30 * secondUs;
    const { written, run } = rig({ cursor: () => String(cursor), batches: 1 });
    await run();
    expect(written[0].times[0]).toBeGreaterThanOrEqual(cursor - 4_000);
    expect(written[0].times[0]).toBeLessThan(cursor + secondUs / 5 + 4_000);
    expect(written[0].cursor).toBe(String(startUs));
  });

  it("does not reach back further than its history, nor trust a cursor from the future", async () => {
    for (const cursor of [startUs - 3600 * secondUs, startUs + secondUs, "nonsense"]) {
      const { written, run } = rig({ cursor: () => String(cursor), batches: 1 });
      await run();
      expect(written[0].times[0]).toBeGreaterThanOrEqual(startUs - 5 * minuteUs - 4_000);
      expect(written[0].times[0]).toBeLessThan(startUs - 5 * minuteUs + secondUs);
    }
  });

  it("waits for a platform that is not there yet, and says so once", async () => {
    let asked = 0;
    const cursor = (): null => {
      if (++asked < 5) throw new UnreachableError("GET got no answer.");
      return null;
    };
    const { written, said, run } = rig({ cursor, batches: 1 });
    await run();
    expect(written).toHaveLength(1);
    expect(said).toEqual(["line: the platform does not answer; trying on.", "line: the platform is back."]);
  });

  it("leaves out a batch that is refused for good, and counts it", async () => {
    const { written, source, said, run } = rig({
      batches: 3,
      write: (_, n) => {
        if (n === 2) throw new ProblemError("columns_invalid", "Not a frame.");
      },
    });
    await run();
    expect(written[2].times[0]).toBeGreaterThan(written[1].times[written[1].times.length - 1]);
    expect(source.sums).toEqual({
      sent: written[0].times.length + written[2].times.length,
      refused: written[1].times.length,
    });
    expect(said).toHaveLength(1);
  });

  it("keeps a batch while its key is refused: somebody may mend that", async () => {
    const { written, source, run } = rig({
      batches: 3,
      write: (_, n) => {
        if (n === 2) throw new ProblemError("key_revoked", "The key was revoked.");
      },
    });
    await run();
    expect(written[2].cursor).toBe(written[1].cursor);
    expect(source.sums.refused).toBe(0);
  });

  it("lives faster at a higher speed, but never stamps the future", async () => {
    const { written, run } = rig({ speed: 10, historyUs: minuteUs, batches: 4 });
    await run();
    const last = written[3].times;
    expect(last[last.length - 1]).toBeGreaterThan(startUs + 0.9 * secondUs);
    expect(last[last.length - 1]).toBeLessThan(startUs + 2 * secondUs);
  });
});
