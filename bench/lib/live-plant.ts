import { hourUs, minuteUs, secondUs } from "@lineshaft/contract/api";
import type { Api } from "./api.ts";
import { equipmentIds, putIdealCycle, workRoundTheClock } from "./oee-plant.ts";
import type { BenchContext } from "./report.ts";
import { ServerProcess } from "./server.ts";
import { sleep } from "./stats.ts";

export interface LivePlantOptions {
  machines: number;
  /** Machines in a line. */
  perLine: number;
  /** How often every machine tells its count, and one in `stateShare` another state. */
  everyMs: number;
  stateShare: number;
  /** Values with this much history at one in two seconds, for charts. */
  curves?: { tags: number; spanUs: number };
}

const source = "machines";
const pastUs = 10 * minuteUs;
const rowsPerPost = 20_000;
/** Values of a state tag: producing, and four ways of standing. */
const states = [
  { value: 0, itemState: "Executing", operationMode: "Processing" },
  { value: 1, itemState: "NotExecuting", cause: 4_100_000 },
  { value: 2, itemState: "OutOfService", cause: 7_100_000 },
  { value: 3, itemState: "Executing", operationMode: "Setup" },
  { value: 4, itemState: "NotExecuting", operationMode: "Maintenance" },
];

/** What an alarm tag tells while a machine is out of service. */
const alarms = {
  alarm: {
    rows: [
      { value: 0, active: false },
      { value: 17, code: "E17", severity: 800, text: { en: "Hydraulic pressure low", de: "Hydraulikdruck niedrig" } },
    ],
  },
};

/** A plant as the console meets it: sites with lines with machines that tell states and counts while somebody looks, orders, shifts, and the OEE application. */
export class LivePlant {
  readonly server: ServerProcess;
  readonly machines: readonly number[];
  readonly lines: readonly number[];
  readonly sites: readonly number[];
  /** Tags of the curves. */
  curves: readonly number[] = [];
  readonly #options: LivePlantOptions;
  readonly #counts: Float64Array;
  readonly #state: Uint8Array;
  #everyMs: number;
  #running = true;
  #loop: Promise<void> = Promise.resolve();
  #round = 0;

  private constructor(
    server: ServerProcess,
    options: LivePlantOptions,
    places: { machines: number[]; lines: number[]; sites: number[] },
  ) {
    this.server = server;
    this.machines = places.machines;
    this.lines = places.lines;
    this.sites = places.sites;
    this.#options = options;
    this.#everyMs = options.everyMs;
    this.#counts = new Float64Array(options.machines);
    // Some of each state, so that every look of a tile is on the screen.
    this.#state = Uint8Array.from({ length: options.machines }, (_, i) => (i % 9 === 4 ? 1 + ((i / 9) % 4) : 0));
  }

  static async start(context: BenchContext, dataDir: string, options: LivePlantOptions): Promise<LivePlant> {
    const args = ["--applications", "oee"];
    const server = await ServerProcess.start({ dataDir, profileDir: context.profileDir, args });
    try {
      const { api } = server;
      const paths = Array.from({ length: options.machines }, (_, i) => pathOf(i, options.perLine));
      const curves = Array.from({ length: options.curves?.tags ?? 0 }, (_, i) => `curve-${i + 1}`);
      await configure(api, paths, curves);
      const ids = await equipmentIds(api);
      const of = (path: string): number => ids.get(path) as number;
      const above = (levels: number): number[] => [
        ...new Set(paths.map((path) => of(path.split("/").slice(0, levels).join("/")))),
      ];
      const plant = new LivePlant(server, options, {
        machines: paths.map(of),
        lines: above(2),
        sites: above(1),
      });
      await plant.#describe(api, of(""));
      await plant.#recordPast();
      plant.#loop = plant.#live();
      return plant;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** From now on machines tell so often. */
  tellEvery(ms: number): void {
    this.#everyMs = ms;
  }

  /** Resolves when the application has published the running shift of nearly all. */
  async published(timeoutMs = 300_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const { items } = await this.server.api.get<{ items: { shiftResult: object | null }[] }>(
        "/now?application=oee&value=oeeIndex",
      );
      if (items.filter(({ shiftResult }) => shiftResult !== null).length > 0.9 * items.length) return;
      if (performance.now() > end) throw new Error("The running shift was not published.");
      await sleep(1000);
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#loop;
    await this.server.stop();
  }

  async #describe(api: Api, enterprise: number): Promise<void> {
    await workRoundTheClock(api, enterprise);
    const fromUs = Date.now() * 1000 - hourUs;
    for (const [i, line] of this.lines.entries()) {
      const own = this.machines.slice(i * this.#options.perLine, (i + 1) * this.#options.perLine);
      const executions = own.map((equipmentId) => ({ equipmentId, fromUs, toUs: null }));
      const order = { material: "M", unit: "1", quantity: 5000, operations: [{ id: "10", name: null, executions }] };
      await api.request("PUT", `/orders/PO-${1000 + i}`, order);
      const members = own.map((equipmentId, stage) => ({ equipmentId, stage: stage + 1, unitsPerCount: 1 }));
      const topology = { equipmentId: line, constraint: own[0], constraintOf: [], output: own.at(-1), members };
      await api.request("PUT", `/line-topologies/line-${i + 1}`, { ...topology, fromUs: 0, toUs: null });
      for (let at = 0; at < own.length; at += 20)
        await Promise.all(
          own
            .slice(at, at + 20)
            .map((equipmentId) => putIdealCycle(api, { equipmentId, material: "M", cycleUs: 5 * secondUs })),
        );
    }
  }

  async #recordPast(): Promise<void> {
    const nowUs = Date.now() * 1000;
    for (let us = nowUs - pastUs; us < nowUs; us += 10 * secondUs) await this.#tell(us, true);
    const { curves } = this.#options;
    if (curves === undefined) return;
    const stepUs = 2 * secondUs;
    const names = Array.from({ length: curves.tags }, (_, i) => `curve-${i + 1}`);
    const scans = Math.floor(rowsPerPost / curves.tags);
    for (let us = nowUs - curves.spanUs; us < nowUs; us += scans * stepUs) {
      const rows = { tag: [] as number[], time: [] as number[], value: [] as number[] };
      for (let at = us; at < Math.min(nowUs, us + scans * stepUs); at += stepUs)
        for (let i = 0; i < curves.tags; i++) {
          rows.tag.push(i);
          rows.time.push(at);
          rows.value.push(20 + 5 * i + 3 * Math.sin(at / (6e8 + i * 1e8)) + ((at / 2e6 + i * 7) % 11) / 20);
        }
      await this.server.api.request("POST", "/ingest/curves", { names, ...rows });
    }
    this.curves = await this.#tagsNamed(names);
  }

  /** The search learns of new tags a moment after they have come. */
  async #tagsNamed(names: readonly string[]): Promise<number[]> {
    for (const end = performance.now() + 30_000; ; await sleep(100)) {
      const { items } = await this.server.api.get<{ items: { id: number; address: string }[] }>(
        "/tags?connection=curves&limit=100",
      );
      const found = names.flatMap((name) => items.find(({ address }) => address === name)?.id ?? []);
      if (found.length === names.length) return found;
      if (performance.now() > end) throw new Error(`${found.length} of ${names.length} curves are known.`);
    }
  }

  /** One round of all machines. In the past, and in one round of many, they tell their state as well. */
  async #tell(us: number, all: boolean): Promise<void> {
    const { machines, stateShare } = this.#options;
    const round = this.#round++;
    const names: string[] = [];
    const rows = { tag: [] as number[], time: [] as number[], value: [] as number[] };
    const put = (name: string, value: number): void => {
      rows.tag.push(names.push(name) - 1);
      rows.time.push(us);
      rows.value.push(value);
    };
    for (let i = 0; i < machines; i++) {
      const changes = !all && (i + round) % stateShare === 0;
      if (changes) this.#state[i] = this.#state[i] === 0 ? 1 + ((i + round) % 4) : 0;
      if (all || changes) {
        put(`${machineOf(i)}/state`, this.#state[i]);
        put(`${machineOf(i)}/alarm`, this.#state[i] === 2 ? 17 : 0);
      }
      // One piece in five seconds, as the ideal cycle has it.
      if (this.#state[i] === 0) this.#counts[i] += all ? 2 : Number((i + round) % 5 === 0);
      put(`${machineOf(i)}/good`, this.#counts[i]);
    }
    await this.server.api.request("POST", `/ingest/${source}`, { names, ...rows });
  }

  async #live(): Promise<void> {
    while (this.#running) {
      const begun = performance.now();
      await this.#tell(Date.now() * 1000, false);
      await sleep(Math.max(0, this.#everyMs - (performance.now() - begun)));
    }
  }
}

const machineOf = (machine: number): string => `M${String(machine + 1).padStart(4, "0")}`;

/** Ten lines a site. */
function pathOf(machine: number, perLine: number): string {
  const line = Math.floor(machine / perLine);
  return `Site ${Math.floor(line / 10) + 1}/Line ${String(line + 1).padStart(2, "0")}/${machineOf(machine)}`;
}

async function configure(api: Api, paths: readonly string[], curves: readonly string[]): Promise<void> {
  const above = (levels: number): string[] => [
    ...new Set(paths.map((path) => path.split("/").slice(0, levels).join("/"))),
  ];
  const properties = [
    { name: "state", kind: "itemState" },
    { name: "good", kind: "counter", counts: "good" },
    { name: "alarm", kind: "alarm" },
  ];
  await api.configure({
    version: 1,
    models: [{ name: "machine", version: "1.0.0", properties }],
    equipment: [
      ...above(1).map((path) => ({ path, level: "site" })),
      ...above(2).map((path) => ({ path, level: "workCenter" })),
      ...paths.map((path) => ({ path, level: "workUnit", model: "machine@1.0.0" })),
    ],
    connections: [
      {
        name: source,
        kind: "http",
        tags: paths.flatMap((path, i) => [
          { address: `${machineOf(i)}/state`, equipment: path, bind: [{ property: "state", mapping: { states } }] },
          { address: `${machineOf(i)}/good`, equipment: path, bind: [{ property: "good" }] },
          { address: `${machineOf(i)}/alarm`, equipment: path, bind: [{ property: "alarm", mapping: alarms }] },
        ]),
      },
      ...(curves.length === 0
        ? []
        : [{ name: "curves", kind: "http", tags: curves.map((address) => ({ address, equipment: paths[0] })) }]),
    ],
  });
}
