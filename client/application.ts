import {
  type Application,
  type Cell,
  type Cells,
  dayUs,
  type EquipmentLevel,
  gridUs,
  type MasterDataItem,
  type Micros,
  ProblemError,
  type Recorded,
  type Result,
  type ResultInput,
  type ResultKey,
  type ResultPeriod,
  type RouteResponse,
  type WorkItem,
} from "@lineshaft/contract/api";
import { defaultBackOff, pauseMs, sleep } from "./back-off.ts";
import { isTemporary } from "./call.ts";
import type { Platform } from "./platform.ts";

/**
 * Applications that publish results: `runApplication` takes work, reads what it rests on, lets a pure function compute, and publishes. The same views serve dry runs
 * (`readViews`).
 */

/** Everything that one result is made of, read beforehand: computing from it is a pure function. */
export interface View {
  item: WorkItem;
  equipment: { id: number; path: string; level: EquipmentLevel };
  /** Levels workUnit and line: the cells of exactly this key, to be added up. null for `above`. */
  cells: Cells | null;
  /** Level above: the newest result of the same application, period and key of each equipment directly below that has one. Else empty. */
  below: Result[];
  /** Periods order and operation: the order as it is known. null for others, and for one that nobody described. */
  order: Recorded<MasterDataItem<"order">> | null;
  /** The master data that the cells rest on, for evidence. */
  masterData: { entity: string; id: string; revision: number }[];
}

/** What is said of a key: numbers, coverage, whatever else the application needs above or shows, and what the numbers rest on. */
export type ComputedResult = Omit<ResultInput, keyof ResultKey | "basisLsn">;

/** From a view to its result; reads nothing else, so that the same view always gives the same result. */
export type Compute = (view: View, key: ResultKey) => ComputedResult;

export interface ApplicationProgram {
  /** Of the application, e.g. `oee`. */
  name: string;
  /** Another one makes all that is kept be computed again. */
  ruleVersion: string;
  periods: ResultPeriod[];
  compute: Compute;
}

export interface RunOptions {
  signal: AbortSignal;
  /** What goes wrong with single keys, and waiting for the server. */
  log?(text: string): void;
  /** Loops that take, compute and publish side by side. Default 2. */
  concurrency?: number;
  /** Keys taken at once. Default 500. */
  batch?: number;
}

export interface ReadOptions {
  signal?: AbortSignal;
  /** As known at this place in the log. Default: as it is known now. */
  asOf?: number;
  /** What could not be read is left out and told here. */
  onError?(items: readonly WorkItem[], error: unknown): void;
}

/** How long one request for work waits at the server. */
const waitMs = 20_000;
/** Cells of an equipment that are read in one answer; more come in portions, so that the server never works long on one. */
const portionUs = 2 * dayUs;
const resultsPerPage = 1000;
/** Results of one request to publish, for the same reason. */
const publishedAtOnce = 40;
/** Refused for what was sent, not for who sent it: invalid, too large. */
const ofContent: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * Runs an application until the signal is aborted: registers it, takes work, computes and publishes, for ever. A key whose computing throws is told and comes again later. Waits
 * while the server cannot be reached; rejects when it says that trying again is of no use.
 */
export async function runApplication(
  platform: Platform,
  program: ApplicationProgram,
  { signal, log = () => {}, concurrency = 2, batch = 500 }: RunOptions,
): Promise<void> {
  const { name, ruleVersion, periods } = program;
  const body: Application = { ruleVersion, periods };
  const register = () =>
    patiently(() => platform.call("registerApplication", { params: { application: name }, body, signal }), {
      signal,
      log,
    });
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await workOnce(platform, program, { signal, log, batch });
      } catch (error) {
        // A server that was set up anew knows no applications.
        if (!(error instanceof ProblemError && error.code === "not_found")) throw error;
        await register();
      }
    }
  };
  try {
    await register();
    await Promise.all(Array.from({ length: concurrency }, loop));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function workOnce(
  platform: Platform,
  { name, compute }: ApplicationProgram,
  { signal, log, batch }: { signal: AbortSignal; log: (text: string) => void; batch: number },
): Promise<void> {
  const params = { application: name };
  const take = () => platform.call("takeWork", { params, body: { limit: batch, waitMs }, signal });
  const { items } = await patiently(take, { signal, log });
  const results: ResultInput[] = [];
  const onError = (lost: readonly WorkItem[], error: unknown): void => {
    if (signal.aborted) throw error;
    log(`${lost.length} keys from ${keyText(lost[0])} on could not be read: ${textOf(error)}`);
  };
  for await (const view of readViews(platform, name, items, { signal, onError })) {
    const { equipmentId, period, key, basisLsn } = view.item;
    try {
      results.push({ equipmentId, period, key, basisLsn, ...compute(view, { equipmentId, period, key }) });
    } catch (error) {
      log(`${keyText(view.item)} could not be computed: ${textOf(error)}`);
    }
  }
  if (results.length === 0) {
    // Everything failed: no hurry to see it fail again.
    if (items.length > 0) await sleep(defaultBackOff.maxMs, signal);
    return;
  }
  const publish = (items: ResultInput[]) => platform.call("publishResults", { params, body: { items }, signal });
  const parts: ResultInput[][] = [];
  for (let from = 0; from < results.length; from += publishedAtOnce)
    parts.push(results.slice(from, from + publishedAtOnce));
  await Promise.all(parts.map((part) => publishAll(part, publish, { signal, log })));
}

/** What is refused as a whole is halved until what it is refused for stands alone: one bad result must not hold up the others. */
async function publishAll(
  results: ResultInput[],
  publish: (items: ResultInput[]) => Promise<RouteResponse<"publishResults">>,
  options: { signal: AbortSignal; log: (text: string) => void },
): Promise<void> {
  const { log } = options;
  try {
    const { faults } = await patiently(() => publish(results), options);
    for (const { index, code, detail } of faults.slice(0, 10))
      log(`${keyText(results[index])} was refused (${code}): ${detail}`);
  } catch (error) {
    if (!(error instanceof ProblemError) || !ofContent.has(error.toProblem().status)) throw error;
    if (results.length === 1) return log(`${keyText(results[0])} was refused: ${textOf(error)}`);
    const half = Math.ceil(results.length / 2);
    for (const part of [results.slice(0, half), results.slice(half)]) await publishAll(part, publish, options);
  }
}

/**
 * The views of work items, each equipment's together: its cells are read once for all its items. What it rests on is read as it is known now, or at `asOf`. For dry runs: make
 * items of one's own.
 */
export async function* readViews(
  platform: Platform,
  application: string,
  items: readonly WorkItem[],
  options: ReadOptions = {},
): AsyncGenerator<View, void, void> {
  const orders = new Map<string, Promise<View["order"]>>();
  const orderOf = (item: WorkItem): Promise<View["order"]> => {
    const id = orderIdOf(item);
    if (id === null) return Promise.resolve(null);
    const read = orders.get(id) ?? readOrder(platform, id, options);
    orders.set(id, read);
    return read;
  };
  const viewsOf = async (group: WorkItem[]): Promise<View[]> => {
    const views =
      group[0].level === "above"
        ? await viewsAbove(platform, application, group, options)
        : await viewsOfCells(platform, group, options);
    for (const view of views) view.order = await orderOf(view.item);
    return views;
  };
  const groups = groupBy(items, ({ equipmentId, level }) => `${equipmentId} ${level}`);
  let next = ahead(groups[0], viewsOf);
  for (const [i, group] of groups.entries()) {
    const reading = next;
    next = ahead(groups[i + 1], viewsOf);
    let views: View[];
    try {
      views = await reading;
    } catch (error) {
      if (options.onError === undefined || isTemporary(error)) throw error;
      options.onError(group, error);
      continue;
    }
    yield* views;
  }
}

/** Reads the next while the one before is computed from. Whoever ends early need not hear that it failed. */
function ahead(group: WorkItem[] | undefined, read: (group: WorkItem[]) => Promise<View[]>): Promise<View[]> {
  const reading = group === undefined ? Promise.resolve([]) : read(group);
  reading.catch(() => {});
  return reading;
}

/** The order that a key belongs to; null for periods of the calendar. */
export function orderIdOf({ period, key }: Pick<ResultKey, "period" | "key">): string | null {
  if (period === "order") return key;
  // Names of orders hold no "/".
  return period === "operation" ? key.slice(0, key.indexOf("/")) : null;
}

async function viewsOfCells(platform: Platform, items: WorkItem[], options: ReadOptions): Promise<View[]> {
  const spans = united(
    items.map(({ fromUs, toUs }) => ({
      fromUs: Math.floor(fromUs / gridUs) * gridUs,
      toUs: Math.ceil(toUs / gridUs) * gridUs,
    })),
  );
  const views: View[] = [];
  for (const span of spans) {
    const read = await readCells(platform, items[0].equipmentId, span, options);
    for (const item of items) {
      if (item.fromUs < span.fromUs || item.toUs > span.toUs) continue;
      const cells = cellsOf(item, read);
      views.push({ ...emptyView(item), cells, masterData: cells.masterData });
    }
  }
  return views;
}

async function viewsAbove(
  platform: Platform,
  application: string,
  items: WorkItem[],
  options: ReadOptions,
): Promise<View[]> {
  const views: View[] = [];
  for (const group of groupBy(items, ({ period }) => period)) {
    const below = [...new Set(group.flatMap((item) => item.below))];
    const asked =
      group.length === 1 ? { periodKey: group[0].key } : { from: least(group, "fromUs"), to: greatest(group, "toUs") };
    const results: Result[] = [];
    for (let at = 0; at < below.length; at += 100) {
      const query = { application, period: group[0].period, equipmentId: below.slice(at, at + 100), ...asked };
      results.push(...(await allResults(platform, query, options)));
    }
    const byKey = Map.groupBy(results, ({ key }) => key);
    for (const item of group) {
      const own = (byKey.get(item.key) ?? []).filter(({ equipmentId }) => item.below.includes(equipmentId));
      views.push({ ...emptyView(item), below: own });
    }
  }
  return views;
}

const emptyView = (item: WorkItem): View => ({
  item,
  equipment: { id: item.equipmentId, path: item.path, level: item.equipmentLevel },
  cells: null,
  below: [],
  order: null,
  masterData: [],
});

/** The cells of a key out of those of its equipment. */
function cellsOf({ period, key, fromUs, toUs }: WorkItem, read: Cells): Cells {
  const within = ({ gridUs: at }: Cell): boolean => at >= Math.floor(fromUs / gridUs) * gridUs && at < toUs;
  const belongs: Record<ResultPeriod, (cell: Cell) => boolean> = {
    hour: () => true,
    shift: (cell) => cell.shift === key,
    productionDay: (cell) => cell.productionDay === key,
    order: (cell) => cell.order === key,
    operation: (cell) => `${cell.order}/${cell.operation}` === key,
  };
  const cells = read.cells.filter((cell) => within(cell) && belongs[period](cell));
  const versions = new Set(cells.map(({ policy }) => policy));
  return {
    ...read,
    fromUs,
    toUs: Math.max(fromUs, Math.min(toUs, read.toUs)),
    cells,
    policies: read.policies.filter(({ version }) => versions.has(version)),
  };
}

interface Span {
  fromUs: Micros;
  toUs: Micros;
}

/** Cells of a span in portions, put together again: they are cut where grids begin, so nothing is told twice. */
async function readCells(platform: Platform, id: number, span: Span, options: ReadOptions): Promise<Cells> {
  const { signal, asOf } = options;
  let whole: Cells | null = null;
  for (let from = span.fromUs; from < span.toUs || whole === null; from += portionUs) {
    const query = { from, to: Math.max(from + gridUs, Math.min(from + portionUs, span.toUs)), asOf };
    const part = await platform.call("listCells", { params: { id }, query, signal });
    if (whole === null) {
      whole = part;
      continue;
    }
    for (const cell of part.cells) whole.cells.push(cell);
    whole.toUs = Math.max(whole.toUs, part.toUs);
    whole.policies = distinct([...whole.policies, ...part.policies], ({ version }) => version);
    whole.masterData = distinct([...whole.masterData, ...part.masterData], (each) => JSON.stringify(each));
    whole.orphanedAnnotations = [...new Set([...whole.orphanedAnnotations, ...part.orphanedAnnotations])];
    whole.unplacedScrap = Math.max(whole.unplacedScrap, part.unplacedScrap);
    whole.repairing ||= part.repairing;
  }
  return whole;
}

async function allResults(
  platform: Platform,
  query: {
    application: string;
    period: ResultPeriod;
    equipmentId: number[];
    periodKey?: string;
    from?: Micros;
    to?: Micros;
  },
  { signal, asOf }: ReadOptions,
): Promise<Result[]> {
  const results: Result[] = [];
  let cursor: string | undefined;
  do {
    const page = await platform.call("listResults", {
      query: { ...query, asOf, cursor, limit: resultsPerPage },
      signal,
    });
    results.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return results;
}

async function readOrder(platform: Platform, id: string, { signal, asOf }: ReadOptions): Promise<View["order"]> {
  try {
    return await platform.call("getOrder", { params: { id }, query: { asOf }, signal });
  } catch (error) {
    if (error instanceof ProblemError && error.code === "not_found") return null;
    throw error;
  }
}

/** Tries again, with growing pauses, what may succeed later; told once. */
async function patiently<T>(
  attempt: () => Promise<T>,
  { signal, log }: { signal: AbortSignal; log: (text: string) => void },
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isTemporary(error)) throw error;
      if (failures++ === 0) log(`Waiting for the platform: ${textOf(error)}`);
      const after = error instanceof ProblemError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      await sleep(Math.max(after, pauseMs(defaultBackOff, failures)), signal);
    }
  }
}

function united(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromUs - b.fromUs)) {
    const last = merged.at(-1);
    if (last !== undefined && span.fromUs <= last.toUs) last.toUs = Math.max(last.toUs, span.toUs);
    else merged.push({ ...span });
  }
  return merged;
}

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): T[][] => [...Map.groupBy(items, keyOf).values()];
const distinct = <T>(items: readonly T[], keyOf: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];
const least = (items: readonly WorkItem[], name: "fromUs" | "toUs") => Math.min(...items.map((item) => item[name]));
const greatest = (items: readonly WorkItem[], name: "fromUs" | "toUs") => Math.max(...items.map((item) => item[name]));
const keyText = ({ equipmentId, period, key }: ResultKey): string => `equipment ${equipmentId}, ${period} ${key}`;
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
