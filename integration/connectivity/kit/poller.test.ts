import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "@lineshaft/testkit";
import { describe, expect, it } from "vitest";
import { groupByPeriod, orAborted, Poller, type PollPace } from "./poller.ts";

const ended = new Error("ended");

/** Lets time pass in small steps; everything that is due runs in between. */
async function pass(clock: FakeClock, ms: number, stepMs = 5): Promise<void> {
  for (let at = 0; at < ms; at += stepMs) {
    clock.advanceMs(stepMs);
    await turn();
  }
}

/** One group whose polls take `takesMs()`; notes when each began. */
function rig(periodMs: number, takesMs: (poll: number) => number, phaseMs = 0) {
  const clock = new FakeClock();
  const starts: number[] = [];
  const paces: PollPace[] = [];
  let running = 0;
  let most = 0;
  const poller = new Poller({
    clock,
    onPace: (pace) => paces.push(pace),
    groups: [
      {
        name: "g",
        periodMs,
        phaseMs,
        async poll(signal) {
          most = Math.max(most, ++running);
          starts.push(clock.monotonicMs());
          const ms = takesMs(starts.length);
          if (ms > 0) await clock.sleep(ms, signal);
          running--;
        },
      },
    ],
  });
  const stop = new AbortController();
  const end = poller.run(stop.signal).catch((error: unknown) => error);
  const halt = (): Promise<unknown> => {
    stop.abort(ended);
    return end;
  };
  return { clock, starts, paces, poller, most: () => most, stop: halt };
}

describe("Poller", () => {
  it("keeps to its grid: what a poll takes does not add up", async () => {
    const { clock, starts, stop } = rig(100, () => 35);
    await turn();
    await pass(clock, 1000);
    expect(starts).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(await stop()).toBe(ended);
  });

  it("asks at once and then at its phase", async () => {
    const { clock, starts, stop } = rig(100, () => 0, 60);
    await turn();
    await pass(clock, 400);
    expect(starts).toEqual([0, 60, 160, 260, 360]);
    await stop();
  });

  it("never has two polls of a group under way; says once that the period is stretched, and once that it is kept", async () => {
    const { clock, paces, poller, most, stop } = rig(100, (poll) => (poll <= 10 ? 250 : 20));
    await turn();
    await pass(clock, 6000);
    expect(most()).toBe(1);
    expect(paces.map(({ stretched }) => stretched)).toEqual([true, false]);
    expect(paces[0].actualMs).toBe(250);
    const [pace] = poller.paces();
    expect(pace).toMatchObject({ stretched: false, actualMs: 100 });
    // Each tick of the grid was either polled or is counted.
    expect(pace.polls + pace.skipped).toBe(61);
    await stop();
  });

  it("is back on its grid after one slow poll", async () => {
    const { clock, starts, paces, stop } = rig(100, (poll) => (poll === 2 ? 330 : 10));
    await turn();
    await pass(clock, 800);
    expect(starts).toEqual([0, 100, 430, 500, 600, 700, 800]);
    expect(paces).toEqual([]);
    await stop();
  });

  it("ends with the first failure, after the others have stopped", async () => {
    const clock = new FakeClock();
    let stopped = false;
    const failure = new Error("cable pulled");
    const poller = new Poller({
      clock,
      groups: [
        { name: "a", periodMs: 50, poll: async () => Promise.reject(failure) },
        {
          name: "b",
          periodMs: 50,
          poll: (signal) => clock.sleep(1000, signal).finally(() => (stopped = true)),
        },
      ],
    });
    await expect(poller.run(new AbortController().signal)).rejects.toBe(failure);
    expect(stopped).toBe(true);
  });

  it("waits for the end without groups; an aborted signal ends it before the first poll", async () => {
    const stop = new AbortController();
    const end = new Poller({ clock: new FakeClock(), groups: [] }).run(stop.signal);
    stop.abort(ended);
    await expect(end).rejects.toBe(ended);
    let polls = 0;
    const group = { name: "g", periodMs: 10, poll: async () => void polls++ };
    await expect(new Poller({ clock: new FakeClock(), groups: [group] }).run(stop.signal)).rejects.toBe(ended);
    expect(polls).toBe(0);
  });
});

it("groups by period, shortest first, in the order given", () => {
  const groups = groupByPeriod(
    [
      ["a", 500],
      ["b", 100],
      ["c", 500],
    ] as const,
    ([, period]) => period,
  );
  expect([...groups].map(([period, items]) => [period, items.map(([name]) => name)])).toEqual([
    [100, ["b"]],
    [500, ["a", "c"]],
  ]);
});

it("orAborted: whichever comes first", async () => {
  const stop = new AbortController();
  expect(await orAborted(Promise.resolve(7), stop.signal)).toBe(7);
  const never = orAborted(new Promise<never>(() => {}), stop.signal);
  stop.abort(ended);
  await expect(never).rejects.toBe(ended);
  await expect(orAborted(Promise.reject(new Error("unheard")), stop.signal)).rejects.toBe(ended);
});
