// What was sent, what was acknowledged, and what the server then says: the oracle of the kill and power-cut tests. It shares no code with the product.
import { expect } from "vitest";
import type { Rest } from "./rest.ts";

const tagsPerBatch = 50;

export interface Batch {
  body: object;
  sequence: number;
  keys: string[];
}

/** Everything sent so far: value by tag and time; whether it was acknowledged. */
export class Oracle {
  readonly sent = new Map<string, { value: number; acked: boolean }>();
  #sequence = 0;
  #time: number;

  constructor(startUs: number) {
    this.#time = startUs;
  }

  /** Every third batch repeats some rows of an earlier one, and brings some that are late. */
  next(): Batch {
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
export async function sendUntilDead(rest: Rest, oracle: Oracle, unanswered: Batch[], limit: number): Promise<void> {
  const send = async (batch: Batch): Promise<boolean> => {
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

/** Everything acknowledged is stored once and exactly, nothing else is, and the sums agree with what can be read. */
export async function checkAgainst(oracle: Oracle, rest: Rest): Promise<void> {
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
