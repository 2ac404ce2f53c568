import type { Platform } from "@lineshaft/client";
import { hourUs, minuteUs, ProblemError, parseTimeUs } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { machineSheets } from "../plant/index.ts";
import { TruthBook } from "../truth/truth-book.ts";
import { Office } from "./office.ts";

const begin = parseTimeUs("2026-11-26T09:00:00Z") as number;

/** What really happened, the same in all tests. */
const book = new TruthBook(2);

interface Order {
  operations: {
    executions: { equipmentId: number; fromUs: number; toUs: number | null }[];
    planned?: { equipmentId: number; fromUs: number; toUs: number | null }[];
    finished?: { equipmentId: number; atUs: number }[];
  }[];
}

/** A platform that keeps what is put, by its rules of revisions. */
class FakePlatform {
  readonly items = new Map<string, { revision: number; item: unknown }>();
  writes = 0;
  /** What happens to the next write of a key, once: it is not taken, or it is and nobody hears of it. */
  readonly trouble = new Map<string, "notTaken" | "unheard">();
  readonly #late = () => Promise.reject(new ProblemError("request_timeout", "The request was not complete in time."));

  call = ((
    name: string,
    { params, body, revision }: { params?: { id: string }; body?: unknown; revision?: number } = {},
  ) => {
    if (name === "listEquipment") {
      const items = machineSheets.map(({ equipment }, id) => ({ path: equipment.join("/"), id: id + 1 }));
      const above = ["Northfield", "Eastgate", "Northfield/Filling/Bottling line 1"];
      const sites = above.map((path, i) => ({ path, id: 101 + i }));
      return Promise.resolve({ items: [...items, ...sites], cursor: null });
    }
    const key = `${name.replace(/^(put|get)/, "")} ${params?.id}`;
    const there = this.items.get(key);
    if (name.startsWith("get")) return Promise.resolve(there);
    const trouble = this.trouble.get(key);
    this.trouble.delete(key);
    if (trouble === "notTaken") return this.#late();
    if (there !== undefined && revision === undefined)
      return Promise.reject(new ProblemError("precondition_required", key));
    if (there !== undefined && revision !== there.revision)
      return Promise.reject(new ProblemError("revision_conflict", key));
    const item = { revision: ++this.writes, item: structuredClone(body) };
    this.items.set(key, item);
    return trouble === "unheard" ? this.#late() : Promise.resolve({ item });
  }) as unknown as Platform["call"];

  orders(): [string, Order][] {
    return [...this.items].filter(([key]) => key.startsWith("Order ")).map(([key, { item }]) => [key, item as Order]);
  }

  executionsOn(equipmentId: number) {
    return this.orders()
      .flatMap(([, { operations }]) => operations.flatMap(({ executions }) => executions))
      .filter((execution) => execution.equipmentId === equipmentId)
      .sort((a, b) => a.fromUs - b.fromUs);
  }

  finishedOn(equipmentId: number): number[] {
    const operations = this.orders().flatMap(([, order]) => order.operations);
    const finished = operations.flatMap((operation) => operation.finished ?? []);
    return finished.flatMap((one) => (one.equipmentId === equipmentId ? [one.atUs] : []));
  }
}

/** People at work for so many of their rounds, each at the next of these instants. */
async function work(
  platform: FakePlatform,
  instants: number[],
  between: (office: Office, round: number) => void = () => undefined,
  expected: string[] = [],
) {
  const stopping = new AbortController();
  const said: string[] = [];
  let round = 0;
  const office: Office = new Office({
    platform,
    book,
    historyUs: hourUs,
    nowUs: () => instants[Math.min(round, instants.length - 1)],
    waiting: {
      sleep: async () => {
        if (++round === instants.length) stopping.abort();
        else between(office, round);
      },
      alarm: () => ({ cancel: () => undefined }),
    },
    say: (text) => said.push(text),
  });
  await office.run(stopping.signal);
  expect(said).toEqual(expected);
  return office;
}

const itemsOf = ({ items }: FakePlatform) => new Map([...items].map(([key, { item }]) => [key, item]));
const late = "office: The request was not complete in time.";
const press = machineSheets.findIndex(({ machine }) => machine === "Press2") + 1;

describe("the people of the plant", () => {
  it("set everything up, and book what runs at every machine; what is booked twice is written once", async () => {
    const platform = new FakePlatform();
    await work(platform, [begin, begin, begin]);
    const kinds = new Set([...platform.items.keys()].map((key) => key.split(" ")[0]));
    expect(kinds).toEqual(
      new Set([
        "Calendar",
        "CalendarAssignment",
        "PolicyAssignment",
        "Reason",
        "Material",
        "CountingAssignment",
        "IdealCycleTime",
        "Order",
        "PhysicalAsset",
        "SetUp",
        "Annotation",
        "LineTopology",
        "IdentifierRule",
      ]),
    );
    // It tells its order itself: the order says that it is meant for it, and nobody books what runs.
    const teller = machineSheets.findIndex((sheet) => sheet.telling.order !== undefined) + 1;
    expect(platform.executionsOn(teller)).toEqual([]);
    const planned = platform.orders().flatMap(([, order]) => order.operations.flatMap((each) => each.planned ?? []));
    expect(new Set(planned.map(({ equipmentId }) => equipmentId))).toEqual(new Set([teller]));
    expect(platform.items.get("IdentifierRule MC1")?.item).toMatchObject({ equipmentId: teller, dimension: "order" });
    const along = ["Filler1", "Capper1", "Labeller1", "Packer1"].map(
      (machine) => machineSheets.findIndex((sheet) => sheet.machine === machine) + 1,
    );
    expect(platform.items.get("LineTopology bottling-1")?.item).toMatchObject({
      equipmentId: 103,
      constraint: along[0],
      output: along[3],
      members: along.map((equipmentId, i) => ({ equipmentId, stage: i + 1 })),
    });
    for (const [id, { machine }] of machineSheets.entries())
      expect(platform.executionsOn(id + 1).filter(({ toUs }) => toUs === null).length, machine).toBeLessThanOrEqual(2);
    expect(platform.executionsOn(press).at(-1)?.toUs).toBeNull();
    expect(platform.writes).toBe(platform.items.size);
  });

  it("go on with setting up where a platform that is too busy did not let them", async () => {
    const platform = new FakePlatform();
    platform.trouble.set("Material P-CLIP", "notTaken").set("IdealCycleTime Press2-P-CLIP", "unheard");
    await work(platform, [begin, begin + 1, begin + 2], () => undefined, [late]);
    const prompt = new FakePlatform();
    await work(prompt, [begin, begin + 1, begin + 2]);
    expect(itemsOf(platform)).toEqual(itemsOf(prompt));
  });

  it("go on with what they wrote without hearing that it was taken: it is not somebody else's", async () => {
    const platform = new FakePlatform();
    const instants = Array.from({ length: 33 }, (_, i) => begin + i * 15 * minuteUs);
    // That a cavity was closed or opened is taken, and nobody hears it; later another one is.
    const arm = (_: Office, round: number) => {
      if (round === 1) platform.trouble.set("PhysicalAsset mould-IMM2", "unheard");
    };
    await work(platform, instants, arm, [late]);
    const prompt = new FakePlatform();
    await work(prompt, instants);
    expect(itemsOf(platform)).toEqual(itemsOf(prompt));
  });

  it("finish an order where the next begins, and go on where an earlier run left off", async () => {
    const platform = new FakePlatform();
    await work(platform, [begin, begin + hourUs]);
    await work(platform, [begin + 2 * hourUs, begin + 4 * hourUs]);
    const executions = platform.executionsOn(press);
    const open = executions.filter(({ toUs }) => toUs === null);
    expect(open.length).toBeLessThanOrEqual(1);
    const truth = book.machine("Press2", begin - 4 * hourUs, begin + 4 * hourUs);
    expect(executions.map(({ fromUs }) => fromUs)).toEqual(truth?.executions.map(({ fromUs }) => fromUs));
    // An order that was taken up again is finished when it ended for the last time.
    const lastEnds = new Map(truth?.executions.map(({ order, toUs }) => [order, toUs]));
    const ends = [...lastEnds.values()].filter((toUs) => toUs < begin + 4 * hourUs);
    expect(platform.finishedOn(press).sort((a, b) => a - b)).toEqual(ends.sort((a, b) => a - b));
  });

  it("forget a machine for hours, then book it all as it was", async () => {
    const instants = [begin, begin + 1, begin + 3 * hourUs, begin + 4 * hourUs];
    const seen: number[] = [];
    const platform = new FakePlatform();
    await work(platform, instants, (office, round) => {
      if (round === 1) office.bookLate("Press2", (3.5 * hourUs) / 1000);
      seen.push(platform.executionsOn(press).length);
    });
    expect(seen[2]).toBe(seen[1]);
    const prompt = new FakePlatform();
    await work(prompt, instants);
    expect(platform.executionsOn(press)).toEqual(prompt.executionsOn(press));
  });

  it("say afterwards that a shift began later: the calendar has an exception, and so has the truth", async () => {
    const platform = new FakePlatform();
    const office = await work(platform, [begin, begin + 1, begin + 2], (at, round) => {
      if (round === 1) expect(at.moveShift("Press2", 30)).toBe("Früh +30");
    });
    expect(platform.items.get("Calendar eastgate")?.item).toMatchObject({
      exceptions: [{ day: "2026-11-26", shifts: [{ shift: "Nacht" }, { shift: "Spät" }, { shift: "Früh +30" }] }],
    });
    const site = (await import("../plant/site.ts")).sites[1];
    const [shift] = office.shiftsOf(site, begin, begin + 1);
    expect(shift).toMatchObject({ id: "eastgate/2026-11-26/Früh +30", fromUs: begin - 4 * hourUs + 30 * minuteUs });
  });

  it("leave to others what others have changed", async () => {
    const platform = new FakePlatform();
    await work(platform, [begin]);
    platform.items.set("Material P-CLIP", {
      revision: 9_999,
      item: { name: "Clip, as we call it", unit: "1", conversions: [] },
    });
    await work(platform, [begin + hourUs]);
    expect(platform.items.get("Material P-CLIP")?.revision).toBe(9_999);
  });

  it("add to an order on which somebody at a terminal has booked, and take nothing back", async () => {
    const platform = new FakePlatform();
    const openOf = () => platform.orders().find(([, { operations }]) => operations[0].executions.at(-1)?.toUs === null);
    let changed = "";
    await work(platform, [begin, begin + 1, begin + 4 * hourUs], (_, round) => {
      if (round !== 1) return;
      const [key, order] = openOf() ?? expect.fail("No order runs.");
      changed = key;
      const item = structuredClone(order);
      item.operations[0].executions.push({ equipmentId: 4711, fromUs: begin, toUs: null });
      platform.items.set(key, { revision: 9_999, item });
    });
    const after = platform.items.get(changed)?.item as Order;
    const [own, theirs] = [
      after.operations[0].executions.filter(({ equipmentId }) => equipmentId !== 4711),
      after.operations[0].executions.filter(({ equipmentId }) => equipmentId === 4711),
    ];
    expect(theirs).toEqual([{ equipmentId: 4711, fromUs: begin, toUs: null }]);
    expect(own.every(({ toUs }) => toUs !== null)).toBe(true);
  });
});
