import {
  type Application,
  inScope,
  type Principal,
  ProblemError,
  type Result,
  type ResultInput,
  type ResultKey,
  type WorkItem,
} from "@lineshaft/contract/api";
import type { Results } from "@lineshaft/contract/ports";

const keyOf = ({ equipmentId, period, key }: ResultKey) => `${equipmentId}/${period}/${key}`;

/** The port of results in memory: work is what a test puts in, results are what was published. */
export class FakeResults implements Results {
  readonly applications = new Map<string, Application>();
  readonly work: WorkItem[] = [];
  readonly published: Result[] = [];
  readonly #pathOf: (equipmentId: number) => string;
  /** Requests for work that wait. */
  waiting = 0;
  #wake: (() => void)[] = [];

  constructor(pathOf: (equipmentId: number) => string) {
    this.#pathOf = pathOf;
  }

  offer(...items: WorkItem[]): void {
    this.work.push(...items);
    for (const wake of this.#wake.splice(0)) wake();
  }

  register: Results["register"] = async (_p, application, item) => {
    this.applications.set(application, item);
    return { ...item, dirty: this.work.length };
  };

  takeWork: Results["takeWork"] = async (p, application, { limit = 500, waitMs = 0 }, signal) => {
    if (!this.applications.has(application))
      throw new ProblemError("not_found", `There is no application "${application}".`);
    const visible = () => this.work.filter(({ path }) => inScope(p, path));
    this.waiting++;
    if (visible().length === 0 && waitMs > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#wake.push(done);
        signal?.addEventListener("abort", done);
      });
    this.waiting--;
    const taken = visible().slice(0, limit);
    for (const item of taken) this.work.splice(this.work.indexOf(item), 1);
    return taken;
  };

  publish: Results["publish"] = async (p, application, items) => {
    const faults = items.flatMap(({ equipmentId }, index) =>
      this.#sees(p, equipmentId)
        ? []
        : [{ index, code: "not_found", detail: `There is no equipment ${equipmentId} that you may see.` }],
    );
    const refused = new Set(faults.map(({ index }) => index));
    const good = items.filter((_, index) => !refused.has(index));
    this.published.push(...good.map((item) => this.#result(application, item)));
    return { published: good.length, unchanged: 0, lsn: this.published.length, faults };
  };

  find: Results["find"] = (p, application, keys) =>
    keys.map((key) => {
      const found = this.list(p, { application, ...key, equipmentIds: [key.equipmentId] }).items[0];
      return found === undefined ? null : { ...found, cause: found.cause.text };
    });

  list: Results["list"] = (p, q) => {
    const from = Number(q.cursor ?? 0);
    const all = this.published.filter(
      (each) =>
        each.application === q.application &&
        this.#sees(p, each.equipmentId) &&
        (q.equipmentIds?.includes(each.equipmentId) ?? true) &&
        (q.period === undefined || each.period === q.period) &&
        (q.key === undefined || each.key === q.key) &&
        (q.fromUs === undefined || each.toUs > q.fromUs) &&
        (q.toUs === undefined || each.fromUs < q.toUs),
    );
    const to = from + (q.limit ?? 1000);
    return { items: all.slice(from, to), cursor: to < all.length ? String(to) : null };
  };

  revisions: Results["revisions"] = (p, q) => {
    const found = this.published.filter((each) => keyOf(each) === keyOf(q) && this.#sees(p, each.equipmentId));
    if (found.length === 0) throw new ProblemError("not_found", "There is no such result that you may see.");
    return found.map((each) => ({ ...each, evidence: [] })).reverse();
  };

  #sees(p: Principal, equipmentId: number): boolean {
    return inScope(p, this.#pathOf(equipmentId));
  }

  #result(application: string, { evidence: _, ...item }: ResultInput): Result {
    const cause = { kind: "first" as const, text: "First", lsn: null, registryRevision: null, actor: null };
    const lsn = this.published.length + 1;
    const { ruleVersion = "" } = this.applications.get(application) ?? {};
    const range = { fromUs: 0, toUs: 3_600_000_000, publishedUs: 0 };
    return { ...item, ...range, application, ruleVersion, state: "final", revision: 1, cause, lsn, stale: false };
  }
}
