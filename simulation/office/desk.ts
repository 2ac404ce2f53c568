import { isDeepStrictEqual } from "node:util";
import type { CallOptions, Platform } from "@lineshaft/client";
import { type MasterDataItem, ProblemError, type RouteName } from "@lineshaft/contract/api";

/** The kinds that the plant's people keep, and their doors in the public API. */
const doors = {
  material: { put: "putMaterial", get: "getMaterial" },
  idealCycleTime: { put: "putIdealCycleTime", get: "getIdealCycleTime" },
  order: { put: "putOrder", get: "getOrder" },
  calendar: { put: "putCalendar", get: "getCalendar" },
  calendarAssignment: { put: "putCalendarAssignment", get: "getCalendarAssignment" },
  policyAssignment: { put: "putPolicyAssignment", get: "getPolicyAssignment" },
  countingAssignment: { put: "putCountingAssignment", get: "getCountingAssignment" },
  physicalAsset: { put: "putPhysicalAsset", get: "getPhysicalAsset" },
  reason: { put: "putReason", get: "getReason" },
  annotation: { put: "putAnnotation", get: "getAnnotation" },
  lineTopology: { put: "putLineTopology", get: "getLineTopology" },
  setUp: { put: "putSetUp", get: "getSetUp" },
  identifierRule: { put: "putIdentifierRule", get: "getIdentifierRule" },
} as const satisfies Record<string, { put: RouteName; get: RouteName }>;
export type DeskKind = keyof typeof doors;

/** One thing that somebody puts down, under its id. */
export type Paper = { [K in DeskKind]: { kind: K; id: string; item: MasterDataItem<K> } }[DeskKind];

/**
 * A desk in the plant's office, where people write down what the platform is to know: by the public API, like everybody. What somebody else has written under the same id stays:
 * whose it is, is seen by its revision.
 */
export class Desk {
  readonly #platform: Pick<Platform, "call">;
  /** The revision of what we wrote, or null where it is somebody else's now; and what we wrote. */
  readonly #written = new Map<string, { revision: number | null; text: string }>();
  /** What we put down without hearing that it was taken: it may stand there all the same. */
  readonly #unheard = new Map<string, string>();

  constructor(platform: Pick<Platform, "call">) {
    this.#platform = platform;
  }

  /** Puts it down if it says something new. False: somebody else's word stands there. */
  async write(paper: Paper, signal: AbortSignal): Promise<boolean> {
    const key = `${paper.kind} ${paper.id}`;
    const text = JSON.stringify(paper.item);
    const before = this.#written.get(key);
    if (before?.text === text) return true;
    if (before?.revision === null) return false;
    try {
      const revision = await this.#put(paper, before?.revision, signal);
      this.#written.set(key, { revision, text });
      this.#unheard.delete(key);
      return true;
    } catch (error) {
      const hears = error instanceof ProblemError && error.retry !== "later";
      if (!hears) {
        this.#unheard.set(key, text);
        throw error;
      }
      if (await this.#isOurs(paper, key, error, signal)) return this.write(paper, signal);
      if (error.code === "precondition_required") return this.#takeUp(paper, key, signal);
      if (error.code !== "revision_conflict") throw error;
      if (paper.kind === "order" && before !== undefined) return this.#addTo(paper, key, before.text, signal);
      this.#written.set(key, { revision: null, text: "" });
      return false;
    }
  }

  /** Is the revision that is in our way the one of whose taking we did not hear? Then it is noted as ours. */
  async #isOurs(paper: Paper, key: string, { code }: ProblemError, signal: AbortSignal): Promise<boolean> {
    const unheard = this.#unheard.get(key);
    if (unheard === undefined || (code !== "revision_conflict" && code !== "precondition_required")) return false;
    const { revision, item } = await this.#get(paper, signal);
    this.#unheard.delete(key);
    if (!isDeepStrictEqual(item, JSON.parse(unheard))) return false;
    this.#written.set(key, { revision, text: unheard });
    return true;
  }

  /** Somebody at a terminal has booked on our order: theirs stays, and what is news from us comes to it. */
  async #addTo(paper: Paper & { kind: "order" }, key: string, before: string, signal: AbortSignal): Promise<boolean> {
    const { revision, item } = await this.#get(paper, signal);
    const both = withNews(item as Order, paper.item, JSON.parse(before) as Order);
    const written = await this.#put({ ...paper, item: both }, revision, signal);
    this.#written.set(key, { revision: written, text: JSON.stringify(paper.item) });
    return true;
  }

  /** It is there from an earlier run: an order goes on where that left it; what was set up is people's to change. */
  async #takeUp(paper: Paper, key: string, signal: AbortSignal): Promise<boolean> {
    const { revision, item } = await this.#get(paper, signal);
    const goesOn = paper.kind === "order" || paper.kind === "physicalAsset" || paper.kind === "setUp";
    this.#written.set(key, { revision: goesOn ? revision : null, text: JSON.stringify(item) });
    return goesOn && this.write(paper, signal);
  }

  async #put({ kind, id, item }: Paper, revision: number | undefined, signal: AbortSignal): Promise<number> {
    // Which item goes with which route is what `Paper` says; the compiler cannot follow it through the table.
    const options = { params: { id }, body: item, revision, signal } as unknown as CallOptions<"putOrder">;
    const written = await this.#platform.call(doors[kind].put as "putOrder", options);
    return written.item.revision;
  }

  async #get({ kind, id }: Paper, signal: AbortSignal): Promise<{ revision: number; item: unknown }> {
    return this.#platform.call(doors[kind].get as "getOrder", { params: { id }, signal });
  }
}

type Order = MasterDataItem<"order">;
type Execution = Order["operations"][number]["executions"][number];

/** Their order with what `ours` says and `before` did not: executions that began, the ends of those that are open, and what is finished. */
function withNews(theirs: Order, ours: Order, before: Order): Order {
  const same = (a: Execution) => (b: Execution) => a.equipmentId === b.equipmentId && a.fromUs === b.fromUs;
  const known = before.operations.flatMap(({ executions }) => executions);
  const operations = structuredClone(theirs.operations);
  for (const { id, name, executions, finished = [] } of ours.operations) {
    let operation = operations.find((each) => each.id === id);
    if (operation === undefined) {
      operation = { id, name, executions: [] };
      operations.push(operation);
    }
    for (const execution of executions) {
      const there = operation.executions.find(same(execution));
      if (there !== undefined) there.toUs ??= execution.toUs;
      else if (!known.some(same(execution))) operation.executions.push(execution);
    }
    const told = operation.finished ?? [];
    const isNew = (one: { equipmentId: number }) => told.every((each) => each.equipmentId !== one.equipmentId);
    operation.finished = [...told, ...finished.filter(isNew)];
  }
  return { ...theirs, operations };
}
