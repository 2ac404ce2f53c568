// F6: kill −9 at each crash point. The oracle is a plain list of what was sent and what was acknowledged.
import { afterEach, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const runs = process.env.LINESHAFT_LONG === "1" ? 20 : 3;
const flags = ["--segment-mib", "0.25", "--run-seconds", "0.3", "--snapshot-seconds", "0.5", "--log-hours", "0.001"];
const tagsPerBatch = 50;

let server: ServerProcess | null = null;
const dirs: { remove: () => void }[] = [];

afterEach(async () => {
  await server?.kill();
  server = null;
  for (const dir of dirs.splice(0)) dir.remove();
});

/** Everything sent so far: value by tag and time; whether it was acknowledged. */
class Oracle {
  readonly sent = new Map<string, { value: number; acked: boolean }>();
  #sequence = 0;
  #time: number;

  constructor(startUs: number) {
    this.#time = startUs;
  }

  /** Every third batch repeats some rows of an earlier one, and brings some that are late. */
  next(): { body: object; sequence: number; keys: string[] } {
    const sequence = ++this.#sequence;
    const rows: [tag: number, time: number, value: number][] = [];
    const base = this.#time;
    this.#time += 1000;
    for (let tag = 0; tag < tagsPerBatch; tag++) rows.push([tag, base, sequence + tag / 100]);
    if (sequence % 3 === 0) {
      for (let tag = 0; tag < 10; tag++) {
        rows.push([tag, base - 2500, sequence]);
        const old = this.sent.get(`${tag}@${base - 2000}`);
        if (old !== undefined) rows.push([tag, base - 2000, old.value]);
      }
    }
    const keys = rows.map(([tag, time, value]) => {
      const key = `${tag}@${time}`;
      if (!this.sent.has(key)) this.sent.set(key, { value, acked: false });
      return key;
    });
    const names = Array.from({ length: tagsPerBatch }, (_, i) => `tag ${i}`);
    const body = { names, tag: rows.map((r) => r[0]), time: rows.map((r) => r[1]), value: rows.map((r) => r[2]) };
    return { body, sequence, keys };
  }
}

/** Sends until the server dies; a batch without an answer is sent again after the restart with the same sequence. */
async function sendUntilDead(
  rest: Rest,
  oracle: Oracle,
  unanswered: ReturnType<Oracle["next"]>[],
  limit: number,
): Promise<void> {
  const send = async (batch: ReturnType<Oracle["next"]>): Promise<boolean> => {
    const answer = await rest.ingest("press", batch.body, `?generation=1&sequence=${batch.sequence}`).catch(() => null);
    if (answer?.status !== 200) return false;
    for (const key of batch.keys) oracle.sent.get(key)!.acked = true;
    return true;
  };
  for (const batch of unanswered.splice(0)) if (!(await send(batch))) unanswered.push(batch);
  for (let i = 0; i < limit; i++) {
    // Several in flight, as a real source has them.
    const batches = [oracle.next(), oracle.next(), oracle.next()];
    const answers = await Promise.all(batches.map(send));
    const failed = batches.filter((_, k) => !answers[k]);
    unanswered.push(...failed);
    if (failed.length > 0) return;
  }
}

async function checkAgainst(oracle: Oracle, rest: Rest): Promise<void> {
  const sums = await rest.settle();
  expect(sums.balanced).toBe(true);
  const { items } = await rest.get<{ items: { id: number; address: string }[] }>("/api/v1/tags?limit=1000");
  const number = new Map(items.map((tag) => [tag.id, Number(tag.address.slice(4))]));
  const stored = new Map<string, unknown>();
  for (const [tag, time, value] of await rest.raw([...number.keys()], 0, 9e15)) {
    const key = `${number.get(tag)}@${time}`;
    expect(stored.has(key), `${key} is stored twice`).toBe(false);
    stored.set(key, value);
  }
  const lost = [...oracle.sent].filter(([key, { acked }]) => acked && !stored.has(key));
  expect(lost, "acknowledged but lost").toEqual([]);
  for (const [key, value] of stored) expect(value, key).toBe(oracle.sent.get(key)?.value);
  expect(sums.stored).toBe(stored.size);
}

describe("F6: kill −9 at", () => {
  it.each(["K0", "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8"])(
    "%s loses nothing acknowledged",
    { timeout: 1_200_000 },
    async (point) => {
      const dir = tempDir();
      dirs.push(dir);
      const oracle = new Oracle(Date.now() * 1000 - 30_000_000);
      const unanswered: ReturnType<Oracle["next"]>[] = [];
      let secret = "";
      let died = 0;
      for (let run = 1; run <= runs; run++) {
        // History's points are passed once a run file, the others once a batch or segment.
        const nth = point === "K7" || point === "K8" ? run : point >= "K5" ? run : 2 + run * 5;
        server = await ServerProcess.start({ dataDir: dir.path, flags, env: { LINESHAFT_CRASH: `${point}:${nth}` } });
        secret = server.adminSecret ?? secret;
        await sendUntilDead(new Rest(server.url, secret), oracle, unanswered, 1500);
        const { signal } = await server.kill();
        if (signal === "SIGKILL" && unanswered.length > 0) died++;
      }
      expect(died, "the crash point was passed in every run").toBe(runs);
      server = await ServerProcess.start({ dataDir: dir.path, flags });
      const rest = new Rest(server.url, secret);
      await sendUntilDead(rest, oracle, unanswered, 3);
      await checkAgainst(oracle, rest);
    },
  );
});
