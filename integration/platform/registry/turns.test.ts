import { describe, expect, it } from "vitest";
import { atOnce, inTurns, othersServed } from "./turns.ts";

/** Keeps the thread busy. */
const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

describe("long work in turns", () => {
  function* work(parts: number, order: string[]): Generator<void, number> {
    for (let i = 0; i < parts; i++) {
      busy(6);
      order.push(`part ${i}`);
      yield;
    }
    return parts;
  }

  it("lets the others have theirs after each portion, and gives what came of it", async () => {
    const order: string[] = [];
    const pause = async (): Promise<void> => void order.push("others");
    expect(await inTurns(work(3, order), pause)).toBe(3);
    expect(order).toEqual(["part 0", "others", "part 1", "others", "part 2", "others"]);
    expect(atOnce(work(1, order))).toBe(1);
  });

  it("waits until nobody waits any more", async () => {
    let ms = 0;
    let waiting = 3;
    const serve = (): void => {
      ms += 4;
      if (--waiting > 0) setImmediate(serve);
    };
    setImmediate(serve);
    await othersServed(() => ms);
    expect(waiting).toBe(0);
  });

  it("goes on though there is no end of those who wait", async () => {
    let ms = 0;
    let ended = false;
    const serve = (): void => {
      ms += 4;
      if (!ended) setImmediate(serve);
    };
    setImmediate(serve);
    await othersServed(() => ms);
    ended = true;
    expect(ms).toBe(20);
  });
});
