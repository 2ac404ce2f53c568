import type { BrowseItem } from "@lineshaft/contract/api";
import { ConnectionError, type ConnectionTarget } from "@lineshaft/contract/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Rig, rig, spec } from "./testing.ts";

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const forever = new AbortController().signal;

describe("looking at a peer before, or beside, what runs", () => {
  let it: Rig;
  beforeEach(() => {
    it = rig();
  });
  afterEach(() => it.close());

  const browse = async (target: ConnectionTarget, address = ""): Promise<BrowseItem[]> =>
    all(it.connectivity.browse(target, address, forever));
  const failure = async (work: Promise<unknown>): Promise<ConnectionError> => {
    const error = await work.then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(ConnectionError);
    return error as ConnectionError;
  };

  for (const kind of ["in-worker", "on-main"]) {
    test(`one level of a configuration that is not saved (${kind})`, async () => {
      const found = await browse({ kind, config: {} }, "hall");
      expect(found.map(({ address }) => address)).toEqual(["hall/0", "hall/1", "hall/2"]);
      expect(it.connectivity.list()).toEqual([]);
      const password = ["$", "{secret:plc}"].join("");
      const error = await failure(browse({ kind, config: { password } }, "broken"));
      expect(error).toMatchObject({ fault: "protocol", message: "No •••.", hint: "Refresh.", technical: "BadNode" });
      expect((await failure(browse({ kind, config: { script: "refused" } }))).fault).toBe("unreachable");
      expect((await failure(browse({ kind, config: { script: 7 } }))).fault).toBe("misconfigured");
    });

    test(`and of a connection that runs (${kind})`, async () => {
      await it.connectivity.start(spec("line", kind, { children: 2 }));
      await it.until("it flows", () => it.state("line") === "flowing");
      expect(await browse({ connection: "line" }, "x")).toHaveLength(2);
      await it.connectivity.start(spec("away", kind, { script: "refused" }));
      await it.until("it waits", () => it.state("away") === "waiting");
      expect(await failure(browse({ connection: "away" }))).toMatchObject({
        fault: "unreachable",
        hint: "Switch it on.",
      });
    });
  }

  test("whoever stops listening ends it; the worker serves the others meanwhile", async () => {
    let seen = 0;
    for await (const _ of it.connectivity.browse({ kind: "in-worker", config: { children: 5000 } }, "", forever))
      if (++seen === 10) break;
    expect(seen).toBe(10);
    expect(await browse({ kind: "in-worker", config: {} })).toHaveLength(3);
  });

  test("a kind that cannot be browsed, or learns nothing, says so", async () => {
    expect(await failure(browse({ kind: "blind", config: {} }))).toMatchObject({ fault: "misconfigured" });
    const look = { filters: [], seconds: 1 };
    const work = it.connectivity.propose({ kind: "blind", config: {} }, look, forever);
    expect(await failure(work)).toMatchObject({ fault: "misconfigured" });
  });

  test("learning runs for its time beside the connection and stores nothing", async () => {
    await it.connectivity.start(spec("line", "in-worker", { script: "quiet", afterRows: 0 }));
    const look = { filters: ["steady"], seconds: 0.1 };
    const found = await it.connectivity.propose({ connection: "line" }, look, forever);
    expect(found).toEqual({ items: [{ template: { script: "steady" }, topics: 1, example: "a" }], overlooked: 0 });
    expect(it.sink.batches).toEqual([]);
    const refused = it.connectivity.propose({ connection: "line" }, { ...look, filters: ["refused"] }, forever);
    expect((await failure(refused)).fault).toBe("unreachable");
  });

  test("a check runs in the worker, step by step", async () => {
    const steps = await all(it.connectivity.check("in-worker", {}, forever));
    expect(steps.map(({ step }) => step)).toEqual(["Read the configuration", "Look"]);
  });

  test("connections of one kind share a folder that is none of a connection's own", async () => {
    await it.connectivity.start(spec("a", "in-worker"));
    await it.connectivity.start(spec("b", "on-main"));
    const dirs: string[] = [];
    for (const name of ["a", "b"]) {
      await it.until(`${name} flows`, () => it.state(name) === "flowing");
      const { connector } = (await it.connectivity.diagnose(name)) as { connector: { kindDir: string } };
      dirs.push(connector.kindDir);
    }
    expect(dirs[0]).toMatch(/\.kinds.in-worker$/);
    expect(dirs[1]).toMatch(/\.kinds.on-main$/);
  });
});

describe("certificates that near their end", () => {
  test("F37: are logged, and stand in the health and the figures of what rests on them", async () => {
    const it = rig();
    try {
      await it.connectivity.start(spec("soon", "in-worker", { certificateDays: 12 }));
      await it.connectivity.start(spec("later", "in-worker", { certificateDays: 300 }));
      const health = (name: string) => it.connectivity.get(name)?.health as { warnings?: string[] };
      await it.until("the warning", () => health("soon").warnings !== undefined);
      expect(health("soon").warnings).toEqual([
        expect.stringMatching(/^The peer's certificate \(CN=Press\) ends on .* 12 days/),
      ]);
      expect(it.logged.filter((text) => text.includes("certificate"))).toHaveLength(1);
      await it.until("the figures", () => (it.connectivity.get("later")?.figures.certificates.length ?? 0) === 1);
      expect(health("later").warnings).toBe(undefined);
    } finally {
      await it.close();
    }
  });
});
