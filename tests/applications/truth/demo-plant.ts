import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Platform } from "@lineshaft/client";
import {
  type Cells,
  hourUs,
  type MasterDataKind,
  type Micros,
  type Principal,

  propertyMapping,
  selectRows,
} from "@lineshaft/contract/api";
import type { Facts, Registry, StandardBinding } from "@lineshaft/contract/ports";
import { readConfiguration } from "@lineshaft/platform/configuration";
import { lineKinds, PlantLine } from "@lineshaft/simulation/plant";
import { FakeClock } from "@lineshaft/testkit";
import { cellSource, MachineContext } from "../../../integration/platform/context/index.ts";
import { assignmentsOf } from "../../../integration/platform/derivation/assignments.ts";
import { Derivation, machineFacts, Steps } from "../../../integration/platform/derivation/index.ts";
import { openRegistry } from "../../../integration/platform/registry/index.ts";
import { Office } from "../../../simulation/office/office.ts";
import { machineSheets } from "../../../simulation/plant/index.ts";
import { shiftsOf } from "../../../simulation/plant/site.ts";
import { answerTruth } from "../../../simulation/truth/truth-api.ts";
import { TruthBook } from "../../../simulation/truth/truth-book.ts";
import type { TrueOee } from "../../../simulation/truth/oee.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };

/** The lines that tell their machines apart by the addresses of the model: by HTTP. */
export const lines = ["northfield-film-3", "eastgate-assembly-4"];
export const machines = machineSheets.filter(({ equipment }) => /Film line 3|Assembly line 4/.test(equipment[2]));

/**
 * The demo as it runs, without its processes and wires: what the controllers of two lines tell goes through the configured bindings into facts, what the plant's office books goes into master data, and
 * cells are made of both. So hours of it pass in a second.
 */
export class DemoPlant {
  readonly #derivation = new Derivation();
  readonly #registry: Registry;
  readonly #ids = new Map<string, number>();
  readonly #book: TruthBook;
  readonly #clock: FakeClock;
  readonly #cells;
  readonly toUs: Micros;

  private constructor(seed: number, toUs: Micros, path: string) {
    this.toUs = toUs;
    this.#book = new TruthBook(seed);
    this.#clock = new FakeClock(toUs);
    this.#registry = openRegistry({ path, clock: this.#clock });
    const facts = {
      appliedLsn: 0,
      machine: (id: number, from: Micros, to: Micros) => ({
        facts: machineFacts(this.#derivation.bindingsOf(id), from, to),
        watermarkUs: toUs,
        finalBeforeUs: toUs,
        repairing: false,
      }),
    } as unknown as Facts;
    this.#cells = cellSource({ facts, registry: this.#registry, clock: this.#clock });
  }

  static async run(seed: number, fromUs: Micros, toUs: Micros, path: string): Promise<DemoPlant> {
    const plant = new DemoPlant(seed, toUs, path);
    plant.#places();
    await plant.#book_(toUs - fromUs);
    plant.#play(seed, fromUs);
    return plant;
  }

  /** What the platform makes of it. */
  cells(equipment: readonly string[], from: Micros, to: Micros): Cells {
    return this.#cells.cells(admin, this.#ids.get(equipment.join("/")) as number, from, to);
  }

  /** What was. */
  truth(equipment: readonly string[], from: Micros, to: Micros): { all: TrueOee } {
    const query = new URLSearchParams({ equipment: equipment.join("/"), from: String(from), to: String(to) });
    const { body } = answerTruth(query, { book: this.#book, nowUs: () => this.toUs, shiftsOf });
    return (body as { oee: { all: TrueOee } }).oee;
  }

  #places(): void {
    const put = (path: string[], level: "site" | "area" | "workCenter" | "workUnit"): number => {
      const key = path.join("/");
      const there = this.#ids.get(key);
      if (there !== undefined) return there;
      const parentId = this.#ids.get(path.slice(0, -1).join("/"));
      const { id } = this.#registry.createEquipment(admin, { level, name: path.at(-1) as string, parentId }).item;
      this.#ids.set(key, id);
      return id;
    };
    for (const { equipment } of machines)
      for (const [i, level] of (["site", "area", "workCenter", "workUnit"] as const).entries())
        put(equipment.slice(0, i + 1), level);
  }

  async #book_(historyUs: Micros): Promise<void> {
    const { masterData } = this.#registry;
    const call = (async (name: string, { params, body, revision }: { params?: { id: string }; body?: object; revision?: number } = {}) => {
      if (name === "listEquipment")
        return { items: [...this.#ids].map(([path, id]) => ({ path, id })), cursor: null };
      const kind = (name[3].toLowerCase() + name.slice(4)) as MasterDataKind;
      const id = params?.id as string;
      if (name.startsWith("get")) return masterData.get(admin, kind, id);
      const there = masterData.list(admin, kind, { limit: 1 }) && null;
      void there;
      return masterData.put(admin, kind, id, body as never, revision ?? null);
    }) as unknown as Platform["call"];
    const stopping = new AbortController();
    const said: string[] = [];
    const office = new Office({
      platform: { call },
      book: this.#book,
      historyUs,
      nowUs: () => this.toUs,
      waiting: { sleep: async () => stopping.abort(), alarm: () => ({ cancel: () => undefined }) },
      say: (text) => said.push(text),
    });
    await office.run(stopping.signal);
    if (said.length > 0) throw new Error(said.join("\n"));
  }

  #play(seed: number, fromUs: Micros): void {
    const folder = fileURLToPath(new URL("../../../simulation/configuration", import.meta.url));
    const sources = readdirSync(folder).map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
    const { configuration } = readConfiguration(sources, { env: () => "4840" });
    const models = new Map(configuration?.models?.map((model) => [`${model.name}@${model.version}`, model]));
    const modelAt = new Map(configuration?.equipment?.map(({ path, model }) => [path, models.get(model ?? "")]));
    const rows: StandardBinding[] = [];
    const tagOf = new Map<string, number>();
    for (const [connection, { name, tags = [] }] of (configuration?.connections ?? []).entries())
      for (const { address, equipment, bind = [] } of lines.includes(name) ? tags : []) {
        const property = modelAt.get(equipment ?? "")?.properties.find((each) => each.name === bind[0]?.property);
        const equipmentId = this.#ids.get(equipment ?? "");
        if (property === undefined || equipmentId === undefined) continue;
        const { kind } = property;
        if (kind !== "itemState" && kind !== "operationMode" && kind !== "counter" && kind !== "pulse") continue;
        const tagId = tagOf.size + 1;
        tagOf.set(address, tagId);
        const counts = kind === "counter" || kind === "pulse" ? (property.counts ?? "total") : null;
        rows.push({ tenant: 1, tagId, connectionId: connection + 1, equipmentId, property: property.name, kind, counts, mapping: propertyMapping(property), validFromUs: null, validToUs: null });
      }
    const context = new MachineContext({ data: this.#registry.masterData, principal: admin, sinceUs: 0 });
    for (const id of this.#ids.values()) {
      const { from, us } = context.idealCycles(id);
      this.#derivation.setCycles(id, new Steps(from, us));
    }
    for (const [id, { spec }] of assignmentsOf(rows).entries()) this.#derivation.add({ ...spec, id: id + 1 }, "none");
    const playing = lineKinds
      .filter(({ connection }) => lines.includes(connection))
      .map((kind) => new PlantLine(kind, seed, fromUs));
    const stepUs = hourUs / 12;
    for (let at = fromUs; at < this.toUs; at += stepUs) {
      for (const line of playing) {
        const columns = line.advance(Math.min(at + stepUs, this.toUs));
        const { signals } = line;
        const kept: number[] = [];
        for (let i = 0; i < columns.rows; i++) if (tagOf.has(signals[columns.tag[i]].address)) kept.push(i);
        const own = selectRows(columns, kept);
        for (let i = 0; i < own.rows; i++) own.tag[i] = tagOf.get(signals[own.tag[i]].address) as number;
        this.#derivation.apply(own);
      }
      this.#derivation.tick(Math.min(at + stepUs, this.toUs) - 2_000_000);
    }
    this.#derivation.tick(this.toUs);
  }
}
