import {
  type Cells,
  gridUs,
  type ProblemCode,
  ProblemError,
  type Result,
  type ResultInput,
  type WorkItem,
} from "@lineshaft/contract/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ApplicationProgram, type RunOptions, readViews, runApplication } from "./application.ts";
import { Platform } from "./platform.ts";
import type { Transport, WireRequest, WireResponse } from "./transport.ts";

const hour = 4 * gridUs;

const item = (equipmentId: number, over: Partial<WorkItem> = {}): WorkItem => ({
  ...{ equipmentId, period: "hour", key: "0", path: `Hall/${equipmentId}`, equipmentLevel: "workUnit", fromUs: 0 },
  ...{ toUs: hour, level: "workUnit", below: [], state: "final", basisLsn: 7 },
  cause: { kind: "first", text: "", lsn: null, registryRevision: null, actor: null },
  ...over,
});

const cellsOf = (fromUs: number, toUs: number): Cells => ({
  ...{ fromUs, toUs, timeZone: "UTC", cells: [], policies: [], reasons: [], orphanedAnnotations: [] },
  ...{ unplacedScrap: 0, masterData: [], finalBeforeUs: null, repairing: false },
});

/** The server's side of the contract of applications. Work is given once; then asking waits. */
class FakeServer implements Transport {
  readonly registered: string[] = [];
  readonly asked: string[] = [];
  readonly published: ResultInput[] = [];
  readonly work: WorkItem[][] = [];
  /** By method and end of the path: what is answered in its place, once each. */
  readonly faults = new Map<string, unknown[]>();
  refuse: (items: ResultInput[]) => ProblemError | { index: number; code: string; detail: string }[] = () => [];
  known = true;

  fail(what: string, ...errors: unknown[]): void {
    this.faults.set(what, errors);
  }

  async request({ method, path, body, signal }: WireRequest): Promise<WireResponse> {
    const url = new URL(path, "http://x");
    const what = `${method} ${url.pathname.slice("/api/v1".length)}`;
    this.asked.push(what);
    const error = this.faults.get(what)?.shift();
    try {
      if (error !== undefined) throw error;
      return wire(200, await this.#answer(what, url, body === undefined ? {} : JSON.parse(body as string), signal));
    } catch (thrown) {
      if (!(thrown instanceof ProblemError)) throw thrown;
      return wire(thrown.toProblem().status, thrown.toProblem());
    }
  }

  async #answer(what: string, url: URL, body: Record<string, unknown>, signal?: AbortSignal): Promise<object> {
    if (what === "PUT /applications/sum") {
      this.registered.push(String(body.ruleVersion));
      this.known = true;
      return { ...body, dirty: 0 };
    }
    if (!this.known) throw problem("not_found");
    if (what === "POST /applications/sum/work") return { items: this.work.shift() ?? (await never(signal)) };
    if (what === "POST /applications/sum/results") {
      const items = body.items as ResultInput[];
      const refused = this.refuse(items);
      if (refused instanceof ProblemError) throw refused;
      const bad = new Set(refused.map(({ index }) => index));
      this.published.push(...items.filter((_, i) => !bad.has(i)));
      return { published: items.length - bad.size, unchanged: 0, lsn: 9, faults: refused };
    }
    if (url.pathname.endsWith("/cells"))
      return cellsOf(Number(url.searchParams.get("from")), Number(url.searchParams.get("to")));
    throw problem("not_found");
  }

  socket(): never {
    throw new Error("Applications that are given work follow no stream.");
  }
}

const problem = (code: ProblemCode): ProblemError => new ProblemError(code, "As the test says.");

function wire(status: number, body: object): WireResponse {
  return { status, header: () => null, bytes: async () => new TextEncoder().encode(JSON.stringify(body)) };
}

function never(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

const program: ApplicationProgram = {
  ...{ name: "sum", ruleVersion: "1", periods: ["hour"] },
  compute: ({ item: { equipmentId } }) => ({ values: { sum: equipmentId }, coverage: 1, detail: null, evidence: [] }),
};

describe("an application", () => {
  let server: FakeServer;
  let stop: AbortController;
  let said: string[];
  let running: Promise<void>;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    stop = new AbortController();
    said = [];
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running.catch(() => {});
    vi.useRealTimers();
  });

  const run = (of: Partial<ApplicationProgram> = {}, options: Partial<RunOptions> = {}): void => {
    const log = (text: string) => void said.push(text);
    running = runApplication(
      new Platform(server),
      { ...program, ...of },
      { signal: stop.signal, log, concurrency: 1, ...options },
    );
    running.catch(() => {});
  };
  const publishes = (...ids: number[]) =>
    vi.waitFor(() => expect(server.published.map(({ equipmentId }) => equipmentId)).toEqual(ids), { timeout: 60_000 });

  it("registers, computes what it is given, and publishes it on the basis it was given on", async () => {
    server.work.push([item(1), item(2)]);
    run();
    await publishes(1, 2);
    expect(server.registered).toEqual(["1"]);
    expect(server.published[0]).toEqual({
      ...{ equipmentId: 1, period: "hour", key: "0", basisLsn: 7, values: { sum: 1 }, coverage: 1, detail: null },
      evidence: [],
    });
    expect(said).toEqual([]);
  });

  it("waits while the server cannot be reached, says so once, and goes on", async () => {
    server.fail("PUT /applications/sum", new TypeError("fetch failed"), new TypeError("fetch failed"));
    server.fail("POST /applications/sum/results", problem("overloaded"));
    server.work.push([item(1)]);
    run();
    await publishes(1);
    expect(said).toEqual([expect.stringContaining("Waiting"), expect.stringContaining("Waiting")]);
  });

  it("a server that was set up anew knows no applications: it registers again", async () => {
    server.known = true;
    server.fail("POST /applications/sum/work", problem("not_found"));
    server.work.push([item(1)]);
    run();
    await publishes(1);
    expect(server.registered).toEqual(["1", "1"]);
  });

  it("a key that cannot be computed is told, and the others are published", async () => {
    server.work.push([item(1), item(2), item(3)]);
    run({
      compute: (view, key) => {
        if (key.equipmentId === 2) throw new Error("poison");
        return program.compute(view, key);
      },
    });
    await publishes(1, 3);
    expect(said).toEqual([expect.stringContaining("equipment 2, hour 0 could not be computed: poison")]);
  });

  it("cells that cannot be read hold up only their equipment", async () => {
    server.fail("GET /equipment/2/cells", problem("not_found"));
    server.work.push([item(1), item(2), item(3)]);
    run();
    await publishes(1, 3);
    expect(said).toEqual([expect.stringContaining("1 keys from equipment 2, hour 0 on could not be read")]);
  });

  it("where all fails it waits before it sees it fail again", async () => {
    server.work.push([item(1)], [item(2)]);
    run({
      compute: (view, key) => {
        if (key.equipmentId === 1) throw new Error("poison");
        return program.compute(view, key);
      },
    });
    await vi.waitFor(() => expect(said).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(9000);
    expect(server.asked.filter((what) => what.endsWith("/work"))).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2000);
    await publishes(2);
  });

  it("a lease that was lost is told, and the rest of the publication stands", async () => {
    server.work.push([item(1), item(2)], [item(2)]);
    server.refuse = (items) =>
      items.length > 1 ? [{ index: 1, code: "work_not_taken", detail: "Take it again." }] : [];
    run();
    await publishes(1, 2);
    expect(said).toEqual(["equipment 2, hour 0 was refused (work_not_taken): Take it again."]);
  });

  it("a publication that is refused as a whole is halved until the bad result stands alone", async () => {
    server.work.push([item(1), item(2), item(3), item(4), item(5)], [item(6)]);
    server.refuse = (items) => (items.some(({ equipmentId }) => equipmentId === 4) ? problem("request_invalid") : []);
    run();
    await publishes(1, 2, 3, 5, 6);
    expect(said).toEqual([expect.stringContaining("equipment 4, hour 0 was refused: ")]);
  });

  it("gives up when it may not publish", async () => {
    server.fail("POST /applications/sum/results", problem("forbidden"));
    server.work.push([item(1)]);
    run();
    await expect(running).rejects.toMatchObject({ code: "forbidden" });
  });

  it("ends when it is told to: while it waits for work, and while it waits for the server", async () => {
    run();
    await vi.waitFor(() => expect(server.asked.at(-1)).toBe("POST /applications/sum/work"));
    stop.abort();
    await expect(running).resolves.toBeUndefined();
    stop = new AbortController();
    server.fail("PUT /applications/sum", new TypeError("fetch failed"));
    run();
    await vi.waitFor(() => expect(said).toHaveLength(1));
    stop.abort();
    await expect(running).resolves.toBeUndefined();
  });

  it("reads the cells of the next equipment while it computes from those of the one before", async () => {
    const views = readViews(new Platform(server), "sum", [item(1), item(2), item(3)]);
    await views.next();
    expect(server.asked).toEqual(["GET /equipment/1/cells", "GET /equipment/2/cells"]);
    // Whoever has enough need not hear of what was read ahead.
    await views.return();
  });

  it("above, the results directly below make the view", async () => {
    const below = (equipmentId: number, key: string) => ({ equipmentId, key, period: "hour" }) as Result;
    vi.spyOn(server, "request").mockImplementation(async ({ path }) => {
      server.asked.push(path);
      return wire(200, { items: [below(2, "0"), below(3, "0"), below(3, "1")], cursor: null });
    });
    const above = item(1, { level: "above", below: [2, 3] });
    const { value } = await readViews(new Platform(server), "sum", [above]).next();
    expect(value).toMatchObject({ cells: null, below: [{ equipmentId: 2 }, { equipmentId: 3, key: "0" }] });
    expect(server.asked).toHaveLength(1);
  });
});
