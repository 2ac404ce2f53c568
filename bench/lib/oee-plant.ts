import type { Equipment, Result, ResultPeriod } from "@lineshaft/contract/api";
import { dayUs, hourUs, secondUs } from "@lineshaft/contract/api";
import { FactoryMix, rowsPerBatch, tagsPerMachine } from "../factory-mix.ts";
import type { Api } from "./api.ts";
import { Generator, generatorDefaults } from "./generator.ts";
import type { BenchContext } from "./report.ts";
import { expectAllStored } from "./rig.ts";
import { ServerProcess } from "./server.ts";
import { round, SharedClock, sleep } from "./stats.ts";

export interface PlantOptions {
  /** A multiple of 100; so many of them are mapped, the rest only sends. */
  machines: number;
  mapped: number;
  /** Back from the end of the last whole shift. */
  spanUs: number;
  stepUs: number;
}

/** As lists of the API come. */
interface Page<T> {
  items: T[];
  cursor: string | null;
}

const shiftUs = 8 * hourUs;
const application = "oee";
const source = "plant";
/** After the last publication that belongs to a change nothing more must come for this long. */
const quietMs = 3_000;

/**
 * A plant whose machines were recorded through the real ingest: states and counts mapped, three shifts a day, an order with an ideal cycle on all of them, and the OEE application
 * running in its worker. All results are published when it is ready.
 */
export class OeePlant {
  readonly server: ServerProcess;
  readonly fromUs: number;
  /** End of the last whole shift that was recorded. */
  readonly toUs: number;
  readonly machines: readonly number[];
  readonly site: number;
  readonly loadSeconds: number;
  readonly #paths: readonly string[];

  private constructor(
    server: ServerProcess,
    span: { fromUs: number; toUs: number },
    places: { machines: number[]; paths: string[]; site: number },
    loadSeconds: number,
  ) {
    this.server = server;
    this.fromUs = span.fromUs;
    this.toUs = span.toUs;
    this.machines = places.machines;
    this.#paths = places.paths;
    this.site = places.site;
    this.loadSeconds = loadSeconds;
  }

  static async start(context: BenchContext, dataDir: string, options: PlantOptions): Promise<OeePlant> {
    const before = performance.now();
    const server = await ServerProcess.start({
      dataDir,
      profileDir: context.profileDir,
      args: ["--applications", "oee"],
    });
    try {
      const clock = new SharedClock();
      const toUs = Math.floor((clock.nowUs() - 300 * secondUs) / shiftUs) * shiftUs;
      const fromUs = toUs - options.spanUs;
      const generator = new Generator({
        ...generatorDefaults,
        url: server.url,
        key: server.api.key,
        clockOffsetUs: clock.offsetUs,
        tags: options.machines * tagsPerMachine,
        sources: 1,
        name: source,
        backdated: { fromUs, stepUs: options.stepUs, scans: Math.ceil(options.spanUs / options.stepUs) },
      });
      await generator.ready();
      const paths = Array.from({ length: options.mapped }, (_, i) => pathOf(i));
      const places = await describePlant(server.api, paths, { fromUs, toUs });
      generator.go();
      const sent = await generator.done();
      expectAllStored(sent);
      await server.settled(sent.lastLsn, 1_800_000);
      const plant = new OeePlant(
        server,
        { fromUs, toUs },
        { ...places, paths },
        round((performance.now() - before) / 1000),
      );
      await plant.published(sent.lastLsn);
      context.say(`${sent.offered} points recorded, ${options.mapped} machines mapped, all results published`);
      return plant;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Id of the last whole shift. */
  get shift(): string {
    return `three/${new Date((this.toUs - shiftUs) / 1000).toISOString().slice(0, 10)}/${shiftName(this.toUs - shiftUs)}`;
  }

  /** The order of all machines in the last shift, with this material. */
  bookOrder(material: string, etag?: string): Promise<Booked> {
    const span = { fromUs: this.toUs - shiftUs, toUs: this.toUs };
    return putOrder(this.server.api, this.machines, { ...span, material }, etag);
  }

  /** What the states of the machines mean: values that are `producing` stand for Executing. Gives the place of the change in the log. */
  async map(producing: (value: number) => boolean): Promise<number> {
    await configure(this.server.api, this.#paths, producing);
    return (await this.server.system()).log.durableLsn;
  }

  /**
   * Waits until everything that a change at `lsn` concerns is published: all results of the site in the recorded time rest on it and are not stale, and nothing more comes.
   * Gives the instant of the last publication.
   */
  async published(lsn: number, timeoutMs = 600_000): Promise<{ lastUs: number; results: number }> {
    const end = performance.now() + timeoutMs;
    let lastLsn = -1;
    let quietSince = performance.now();
    for (;;) {
      const found = await this.results({ equipmentId: this.site });
      const newest = Math.max(-1, ...found.map((result) => result.lsn));
      if (newest !== lastLsn) {
        lastLsn = newest;
        quietSince = performance.now();
      }
      const hours = found.filter(({ period }) => period === "hour").length;
      const settled =
        hours === (this.toUs - this.fromUs) / hourUs && newest >= lsn && found.every(({ stale }) => !stale);
      if (settled && performance.now() - quietSince > quietMs) break;
      if (performance.now() > end)
        throw new Error(
          `Not published after ${timeoutMs} ms: ${hours} hours, ${found.filter(({ stale }) => stale).length} stale of ${found.length}.`,
        );
      await sleep(100);
    }
    const all = await this.results({});
    const stale = all.filter((result) => result.stale);
    if (stale.length > 0) throw new Error(`${stale.length} of ${all.length} results are stale.`);
    const changed = all.filter((result) => result.lsn > lsn);
    return { lastUs: Math.max(0, ...changed.map(({ publishedUs }) => publishedUs)), results: changed.length };
  }

  /** Results of the recorded time: closed periods only. */
  async results(query: { equipmentId?: number; period?: ResultPeriod; periodKey?: string }): Promise<Result[]> {
    const found: Result[] = [];
    let cursor: string | null = null;
    do {
      const params = new URLSearchParams({ application, limit: "5000" });
      params.set("from", String(this.fromUs));
      params.set("to", String(this.toUs));
      for (const [name, value] of Object.entries(query)) params.set(name, String(value));
      if (cursor !== null) params.set("cursor", cursor);
      const page: Page<Result> = await this.server.api.get(`/results?${params}`);
      found.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== null);
    return found.filter(({ toUs }) => toUs <= this.toUs);
  }
}

export interface Booked {
  etag: string;
  lsn: number;
}

/** 25 machines an area. */
function pathOf(machine: number): string {
  return `Plant/Area ${Math.floor(machine / 25) + 1}/${machineOf(machine)}`;
}
const machineOf = (machine: number): string => FactoryMix.address(machine * tagsPerMachine).split("/", 1)[0];
const shiftName = (fromUs: number): string => ["Night", "Early", "Late"][(fromUs % dayUs) / shiftUs];

/** A third of the states stand for standing, by different reasons. */
export const producingAtFirst = (value: number): boolean => value % 3 !== 0;

async function configure(api: Api, paths: readonly string[], producing: (value: number) => boolean): Promise<void> {
  const states = Array.from({ length: 18 }, (_, value) =>
    producing(value)
      ? { value, itemState: "Executing" }
      : { value, itemState: "NotExecuting", cause: value % 2 === 0 ? 7_100_000 : 4_100_000 },
  );
  const tag = (machine: number, address: string, property: string, mapping?: object) => ({
    address: `${machineOf(machine)}/${address}`,
    equipment: paths[machine],
    bind: [{ property, ...(mapping === undefined ? {} : { mapping }) }],
  });
  await api.configure({
    version: 1,
    models: [
      {
        name: "machine",
        version: "1.0.0",
        properties: [
          { name: "state", kind: "itemState" },
          { name: "good", kind: "counter", counts: "good" },
          { name: "scrap", kind: "counter", counts: "scrap" },
        ],
      },
    ],
    equipment: [
      { path: "Plant", level: "site" },
      ...[...new Set(paths.map((path) => path.slice(0, path.lastIndexOf("/"))))].map((path) => ({
        path,
        level: "area",
      })),
      ...paths.map((path) => ({ path, level: "workUnit", model: "machine@1.0.0" })),
    ],
    connections: [
      {
        name: `${source}-0`,
        kind: "http",
        tags: paths.flatMap((_, machine) => [
          tag(machine, "state-0", "state", { states }),
          tag(machine, "counter-4", "good"),
          tag(machine, "counter-5", "scrap"),
        ]),
      },
    ],
  });
}

async function describePlant(
  api: Api,
  paths: readonly string[],
  span: { fromUs: number; toUs: number },
): Promise<{ machines: number[]; site: number }> {
  await configure(api, paths, producingAtFirst);
  const ids = await equipmentIds(api);
  const machines = paths.map((path) => ids.get(path) as number);
  const site = ids.get("Plant") as number;
  await workRoundTheClock(api, site);
  const cycles = machines.flatMap((equipmentId) =>
    [4, 5].map((seconds) => ({ equipmentId, material: `M${seconds}`, cycleUs: seconds * secondUs })),
  );
  for (let at = 0; at < cycles.length; at += 20)
    await Promise.all(cycles.slice(at, at + 20).map((cycle) => putIdealCycle(api, cycle)));
  await putOrder(api, machines, { ...span, fromUs: span.toUs - shiftUs, material: "M4" });
  return { machines, site };
}

/** All equipment by path. */
export async function equipmentIds(api: Api): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  let cursor: string | null = null;
  do {
    const page: Page<Equipment> = await api.get(`/equipment?limit=1000${cursor === null ? "" : `&cursor=${cursor}`}`);
    for (const { id, path } of page.items) ids.set(path, id);
    cursor = page.cursor ?? null;
  } while (cursor !== null);
  return ids;
}

/** Three shifts a day, every day, with a break of half an hour each. */
export async function workRoundTheClock(api: Api, site: number): Promise<void> {
  const shifts = ["Night", "Early", "Late"].map((name, i) => ({
    name,
    start: clockTime(8 * i),
    end: clockTime((8 * i + 8) % 24),
    breaks: [{ start: clockTime(8 * i + 4), minutes: 30 }],
  }));
  const calendar = {
    ...{ name: "three", timeZone: "Etc/UTC", shifts, holidays: [], exceptions: [] },
    rotation: { anchor: "2024-01-01", days: [shifts.map(({ name }) => ({ shift: name }))] },
  };
  await api.request("PUT", "/calendars/three", calendar);
  const assignment = { equipmentId: site, calendar: "three", fromUs: 0, toUs: null };
  await api.request("PUT", "/calendar-assignments/plant", assignment);
}
const clockTime = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;

export async function putIdealCycle(
  api: Api,
  cycle: { equipmentId: number; material: string; cycleUs: number },
): Promise<void> {
  const id = `${cycle.equipmentId}-${cycle.material}`;
  await api.request("PUT", `/ideal-cycle-times/${id}`, { ...cycle, unitsPerCycle: 1, fromUs: 0, toUs: null });
}

/** One order, executed on all machines at once. */
export async function putOrder(
  api: Api,
  machines: readonly number[],
  { material, ...span }: { material: string; fromUs: number; toUs: number | null },
  etag?: string,
): Promise<Booked> {
  const executions = machines.map((equipmentId) => ({ equipmentId, ...span }));
  const order = { material, unit: "1", quantity: 1e6, operations: [{ id: "10", name: null, executions }] };
  const more: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
  const answer = await api.request("PUT", "/orders/A", order, 60_000, undefined, more);
  const { receipt } = (await answer.json()) as { receipt: { lsn: number } };
  return { etag: answer.headers.get("etag") ?? "", lsn: receipt.lsn };
}

/** Machines come in batches of 100. */
export const batchOf = (machines: number): number => Math.ceil((machines * tagsPerMachine) / rowsPerBatch) * 100;
