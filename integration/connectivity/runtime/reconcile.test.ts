import type { ConnectionSpec } from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";
import { type Rig, rig, spec } from "./testing.ts";

describe("what runs follows what is configured", () => {
  let it: Rig;
  beforeEach(() => {
    it = rig();
  });
  afterEach(() => it.close());

  /** Reconciles and tells which calls that took. */
  async function calls(wanted: ConnectionSpec[]): Promise<{ made: string[]; refused: string[] }> {
    const made: string[] = [];
    const { connectivity } = it;
    const refused = await reconcile(
      {
        list: () => connectivity.list(),
        start: (s) => connectivity.start(s).then(() => void made.push(`start ${s.name}`)),
        stop: (name) => connectivity.stop(name).then(() => void made.push(`stop ${name}`)),
        update: (s) => connectivity.update(s).then(() => void made.push(`update ${s.name}`)),
      },
      wanted,
    );
    return { made: made.sort(), refused: [...refused.keys()] };
  }

  test("starts the new, updates the changed, stops what is gone, leaves the rest alone", async () => {
    expect((await calls([spec("a", "on-main"), spec("b", "on-main"), spec("c", "on-main")])).made).toEqual([
      "start a",
      "start b",
      "start c",
    ]);
    const changed = spec("b", "on-main", { everyMs: 7 });
    expect((await calls([spec("a", "on-main"), changed, spec("d", "on-main")])).made).toEqual([
      "start d",
      "stop c",
      "update b",
    ]);
    expect((await calls([spec("a", "on-main"), changed, spec("d", "on-main")])).made).toEqual([]);
    expect(it.connectivity.get("b")?.spec.config).toEqual({ everyMs: 7 });
  });

  test("one that cannot be started does not keep the others from it", async () => {
    expect(await calls([spec("a", "carrier-pigeon"), spec("b", "on-main")])).toEqual({
      made: ["start b"],
      refused: ["a"],
    });
    expect((await calls([])).made).toEqual(["stop b"]);
  });
});
