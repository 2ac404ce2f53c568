import type { EquipmentNow, StreamEvent } from "@lineshaft/contract/api";
import { beforeEach, describe, expect, it } from "vitest";
import { concernedBy, everyMs, NowFeed, type NowFeedParts } from "./now-feed.ts";

type Handlers = Parameters<NowFeedParts["follow"]>[1];

/** A server that answers when it is told to, and a clock that goes when it is told to. */
class Stage {
  nowMs = 0;
  items: { equipmentId: number }[] = [{ equipmentId: 1 }, { equipmentId: 2 }];
  readonly asked: (readonly number[] | null)[] = [];
  down = false;
  handlers: Handlers | null = null;
  follows = 0;
  readonly registry: string[] = [];
  #timers: { atMs: number; run: () => void }[] = [];
  readonly feed = new NowFeed({
    read: async (ids) => {
      this.asked.push(ids);
      if (this.down) throw new Error("away");
      const items = this.items.filter(({ equipmentId }) => ids?.includes(equipmentId) ?? true);
      return { atUs: this.nowMs * 1000, items: items as EquipmentNow[] };
    },
    follow: (_request, handlers) => {
      this.follows++;
      this.handlers = handlers;
      return () => {
        this.handlers = null;
      };
    },
    request: {},
    later: (run, ms) => {
      const timer = { atMs: this.nowMs + ms, run };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
    },
    nowMs: () => this.nowMs,
    onRegistry: (entity) => this.registry.push(entity),
  });

  get timers(): number {
    return this.#timers.length;
  }

  event(type: StreamEvent["type"], data: object): void {
    this.handlers?.onEvent({ type, data, lsn: 1, cursor: "", recordedTime: 0 } as StreamEvent);
  }

  states(...ids: number[]): void {
    this.event("facts.changed", { ranges: ids.map((equipmentId) => ({ equipmentId, what: "states" })) });
  }

  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      await Promise.resolve().then(() => Promise.resolve());
      const next = this.#timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = end;
    await Promise.resolve().then(() => Promise.resolve());
  }
}

describe("what equipment does now, kept up", () => {
  let stage: Stage;
  let stop: () => void;
  beforeEach(async () => {
    stage = new Stage();
    stop = stage.feed.start();
    await stage.pass(0);
  });

  it("reads everything once, then what events name, those of a moment together and once a second at most", async () => {
    expect(stage.asked).toEqual([null]);
    await stage.pass(2000);
    stage.states(1);
    stage.states(1, 2);
    await stage.pass(300);
    expect(stage.asked.slice(1)).toEqual([[1, 2]]);
    stage.states(2);
    await stage.pass(400);
    expect(stage.asked).toHaveLength(2);
    await stage.pass(600);
    expect(stage.asked[2]).toEqual([2]);
  });

  it("events that never stop put off neither what they ask for nor the reading of everything", async () => {
    await stage.pass(2000);
    for (let i = 0; i < 200; i++) {
      stage.states(1);
      await stage.pass(100);
    }
    const named = stage.asked.filter((ids) => ids !== null).length;
    expect(named).toBeGreaterThanOrEqual(15);
    expect(named).toBeLessThanOrEqual(20);
    expect(stage.asked.filter((ids) => ids === null).length).toBeGreaterThanOrEqual(2);
  });

  it("finds out at once that the server is away, and that it is back", async () => {
    stage.handlers?.onState("open");
    await stage.pass(5000);
    stage.down = true;
    stage.handlers?.onState("waiting");
    await stage.pass(300);
    expect(stage.feed.snapshot().error).not.toBeNull();
    stage.down = false;
    stage.handlers?.onState("open");
    await stage.pass(1000);
    expect(stage.feed.snapshot().error).toBeNull();
  });

  it("counts are no news for a tile; results of shift and order are, and a change of the registry is for everything", async () => {
    await stage.pass(2000);
    stage.event("facts.changed", { ranges: [{ equipmentId: 1, what: "counts" }] });
    stage.event("result.published", { items: [{ equipmentId: 2, period: "hour" }] });
    await stage.pass(2000);
    expect(stage.asked).toHaveLength(1);
    stage.event("result.published", { items: [{ equipmentId: 2, period: "shift" }] });
    await stage.pass(2000);
    expect(stage.asked[1]).toEqual([2]);
    stage.event("registry.changed", { entity: "equipment" });
    await stage.pass(2000);
    expect(stage.asked[2]).toBeNull();
    expect(stage.registry).toEqual(["equipment"]);
  });

  it("results of a whole plant are gathered for some seconds, its states are not", async () => {
    stage.items = Array.from({ length: 300 }, (_, i) => ({ equipmentId: i + 1 }));
    stage.event("registry.changed", { entity: "equipment" });
    await stage.pass(2000);
    expect(stage.feed.snapshot().items.size).toBe(300);
    const before = stage.asked.length;
    const publish = (equipmentId: number) =>
      stage.event("result.published", { items: [{ equipmentId, period: "shift" }] });
    for (const id of [7, 8, 9]) {
      publish(id);
      await stage.pass(1000);
    }
    stage.states(1);
    await stage.pass(300);
    expect(stage.asked.slice(before)).toEqual([[1]]);
    await stage.pass(2000);
    expect(stage.asked.slice(before)).toEqual([[1], [7, 8, 9]]);
    // Of what is not shown nothing is read.
    publish(999);
    await stage.pass(everyMs / 3);
    expect(stage.asked).toHaveLength(before + 2);
  });

  it("what is booked at a machine is read of that machine, names of tags of none", () => {
    const of = (entity: string, kind?: string, item?: object) => concernedBy({ entity, after: { kind, item } });
    expect(of("equipment")).toBeNull();
    expect(of("tag")).toEqual([]);
    expect(of("masterData", "booking", { equipmentId: 3 })).toEqual([3]);
    const executions = [{ equipmentId: 4 }, { equipmentId: 5 }];
    expect(of("masterData", "order", { operations: [{ executions }, { executions }] })).toEqual([4, 5]);
    expect(of("masterData", "order", { operations: [] })).toBeNull();
    expect(of("masterData", "calendar", {})).toBeNull();
    expect(of("masterData", "kpiTarget", { equipmentId: 1 })).toBeNull();
  });

  it("what is gone leaves the view, whichever way it was read", async () => {
    stage.items = [{ equipmentId: 1 }];
    await stage.pass(2000);
    stage.states(2);
    await stage.pass(1000);
    expect([...stage.feed.snapshot().items.keys()]).toEqual([1]);
  });

  it("reads everything now and then without events, after the stream was away, and when it is seen again", async () => {
    await stage.pass(everyMs);
    expect(stage.asked).toEqual([null, null]);
    stage.handlers?.onState("waiting");
    stage.handlers?.onState("open");
    await stage.pass(2000);
    expect(stage.asked).toHaveLength(3);
    stage.feed.sleep(true);
    await stage.pass(20 * everyMs);
    // What was due before it was hidden may still be read; then nothing.
    expect(stage.asked.length).toBeLessThanOrEqual(4);
    const before = stage.asked.length;
    stage.feed.sleep(false);
    await stage.pass(2000);
    expect(stage.asked).toHaveLength(before + 1);
  });

  it("weeks with a server that goes and comes: what was read stays with its age, it always comes back, and nothing piles up", async () => {
    const seen = stage.feed.snapshot().items.size;
    for (let restart = 0; restart < 500; restart++) {
      stage.down = true;
      stage.handlers?.onState("waiting");
      for (let i = 0; i < 30; i++) stage.states(1, 2);
      await stage.pass(40_000 + 7 * restart);
      const away = stage.feed.snapshot();
      expect(away.error).not.toBeNull();
      expect(away.items.size).toBe(seen);
      expect(stage.nowMs * 1000 - (away.atUs as number)).toBeGreaterThan(20e6);
      stage.down = false;
      stage.handlers?.onState("open");
      await stage.pass(everyMs + 1000);
      const back = stage.feed.snapshot();
      expect(back.error).toBeNull();
      expect(stage.nowMs * 1000 - (back.atUs as number)).toBeLessThan(everyMs * 1000 + 2e6);
      expect(stage.timers).toBe(1);
    }
    expect(stage.follows).toBe(1);
    // While it is away it is asked calmly, however many events there were.
    expect(stage.asked.length).toBeLessThan(500 * 10);
    stop();
    expect(stage.timers).toBe(0);
    expect(stage.handlers).toBeNull();
  });
});
