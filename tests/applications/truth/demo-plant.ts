import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Platform } from "@lineshaft/client";
import {
  type Cells,
  type MasterDataKind,
  type Micros,
  minuteUs,
  type Principal,
  propertyMapping,
  secondUs,
  selectRows,
} from "@lineshaft/contract/api";
import type { Facts, Registry, StandardBinding } from "@lineshaft/contract/ports";
import { readConfiguration } from "@lineshaft/platform/configuration";
import { FakeClock } from "@lineshaft/testkit";
import { cellSource, MachineContext } from "../../../integration/platform/context/index.ts";
import { assignmentsOf } from "../../../integration/platform/derivation/assignments.ts";
import { Derivation, machineFacts, Steps } from "../../../integration/platform/derivation/index.ts";
import { openRegistry } from "../../../integration/platform/registry/index.ts";
import { Office } from "../../../simulation/office/office.ts";
import { serialLine } from "../../../simulation/plant/bottling-line.ts";
import { lineKinds, machineSheets, PlantLine } from "../../../simulation/plant/index.ts";
import { shiftsOf } from "../../../simulation/plant/site.ts";
import type { Heads, Span, TrueOee } from "../../../simulation/truth/index.ts";
import { answerTruth } from "../../../simulation/truth/truth-api.ts";
import { TruthBook } from "../../../simulation/truth/truth-book.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };
const folder = fileURLToPath(new URL("../../../simulation/configuration", import.meta.url));

/** Those of the plant whose addresses stand for signals of the model: all but the press with its registers, and the machine that tells its orders itself. */
const machines = machineSheets.filter(({ machine, telling }) => machine !== "Press1" && telling.order === undefined);
/** Where they stand, and the line that is one with its machines. */
export const places = [...machines.map(({ equipment }) => equipment.join("/")), serialLine.path];

/** The signal behind an address of the configuration, whatever protocol it is of. */
const signalOf = (address: string): string =>
  address
    .replace("nsu=urn:lineshaft:simulation:plant;s=", "")
    .replace("Northfield/Bottling-1/", "")
    .replace(/\/value$/, "")
    .replaceAll("/", ".");

const levels = ["site", "area", "workCenter", "workUnit"] as const;
const portionUs = 5 * minuteUs;

/**
 * The demo without its processes and wires: what the controllers of its lines tell goes by the plant's configuration into facts, what its office books into master data, and cells are made of both. So
 * hours of it pass in a second.
 */
export class DemoPlant {
  readonly #derivation = new Derivation();
  readonly #registry: Registry;
  readonly #ids = new Map<string, number>();
  readonly #seed: number;
  readonly #book: TruthBook;
  readonly #cells;
  /** Seen from the one to the other. */
  readonly #span: Span;

  private constructor(seed: number, span: Span, path: string) {
    this.#seed = seed;
    this.#span = span;
    this.#book = new TruthBook(seed);
    const clock = new FakeClock(span.toUs);
    this.#registry = openRegistry({ path, clock });
    const machine = (id: number, from: Micros, to: Micros) => ({
      facts: machineFacts(this.#derivation.bindingsOf(id), from, to),
      ...{ watermarkUs: span.toUs, finalBeforeUs: span.toUs, repairing: false },
    });
    const states: Facts["states"] = (...range) => machine(...range).facts.states;
    this.#cells = cellSource({ facts: { machine, states } as Facts, registry: this.#registry, clock });
  }

  /** `path`: of the registry's file. */
  static async run(seed: number, span: Span, path: string): Promise<DemoPlant> {
    const plant = new DemoPlant(seed, span, path);
    for (const place of places) plant.#place(place.split("/"));
    await plant.#bookAll();
    plant.#play();
    return plant;
  }

  /** What the platform makes of it. */
  cells(place: string, { fromUs, toUs }: Span): Cells {
    return this.#cells.cells(admin, this.#ids.get(place) as number, fromUs, toUs);
  }

  /** What was. */
  truth(place: string, window: Span): Heads {
    return truthAt(this.#book, place, window, this.#span.toUs);
  }

  close(): void {
    this.#registry.close();
  }

  #place(names: readonly string[]): void {
    let parentId: number | undefined;
    for (const [i, level] of levels.entries()) {
      const path = names.slice(0, i + 1).join("/");
      const id =
        this.#ids.get(path) ?? this.#registry.createEquipment(admin, { level, name: names[i], parentId }).item.id;
      this.#ids.set(path, id);
      parentId = id;
    }
  }

  /** The plant's people at work, once, at the end: all of it is booked late. */
  async #bookAll(): Promise<void> {
    const { masterData } = this.#registry;
    const stopping = new AbortController();
    const said: string[] = [];
    const call = async (name: string, { params, body, revision }: Call = {}) => {
      if (name === "listEquipment") return { items: [...this.#ids].map(([path, id]) => ({ path, id })), cursor: null };
      const kind = (name[3].toLowerCase() + name.slice(4)) as MasterDataKind;
      const id = params?.id as string;
      return name.startsWith("get")
        ? masterData.get(admin, kind, id)
        : masterData.put(admin, kind, id, body as never, revision ?? null);
    };
    const office = new Office({
      platform: { call: call as Platform["call"] },
      book: this.#book,
      historyUs: this.#span.toUs - this.#span.fromUs,
      nowUs: () => this.#span.toUs,
      waiting: { sleep: async () => stopping.abort(), alarm: () => ({ cancel: () => undefined }) },
      say: (text) => said.push(text),
    });
    await office.run(stopping.signal);
    if (said.length > 0) throw new Error(said.join("\n"));
  }

  #play(): void {
    const { fromUs, toUs } = this.#span;
    const derivation = this.#derivation;
    const bindings = bindingsOf(this.#ids);
    const tagOf = new Map(bindings.map(({ address, tagId }) => [signalOf(address), tagId]));
    const context = new MachineContext({
      ...{ data: this.#registry.masterData, principal: admin, sinceUs: 0 },
      machines: { identifiers: () => [], upwards: (id) => [id] },
    });
    for (const id of this.#ids.values()) {
      const { from, us } = context.idealCycles(id);
      derivation.setCycles(id, new Steps(from, us));
    }
    for (const [id, { spec }] of assignmentsOf(bindings).entries()) derivation.add({ ...spec, id: id + 1 }, "none");
    const played = lineKinds.map((kind) => new PlantLine(kind, this.#seed, fromUs));
    for (let at = fromUs; at < toUs; at += portionUs) {
      const until = Math.min(at + portionUs, toUs);
      for (const line of played) {
        const columns = line.advance(until);
        const tags = line.signals.map(({ address }) => tagOf.get(address) ?? 0);
        const rows = Array.from({ length: columns.rows }, (_, i) => i).filter((i) => tags[columns.tag[i]] > 0);
        const own = selectRows(columns, rows);
        for (let i = 0; i < own.rows; i++) own.tag[i] = tags[own.tag[i]];
        derivation.apply(own);
      }
      derivation.tick(until - 2 * secondUs);
    }
    derivation.tick(toUs);
  }
}

/** What was at a place, as far as it had come by `nowUs`. */
export function truthAt(book: TruthBook, place: string, { fromUs, toUs }: Span, nowUs: Micros): Heads {
  const query = new URLSearchParams({ equipment: place, from: String(fromUs), to: String(toUs) });
  const { body } = answerTruth(query, { book, nowUs: () => nowUs, shiftsOf });
  const { all, hours, shifts, orders } = (body as { oee: Told }).oee;
  return {
    all,
    hours: new Map(hours.map(({ fromUs: hour, ...of }) => [hour, of])),
    shifts: new Map(shifts.map(({ shift, ...of }) => [shift, of])),
    orders: new Map(orders.map(({ order, ...of }) => [order, of])),
  };
}

type Call = { params?: { id: string }; body?: object; revision?: number };
interface Told {
  all: TrueOee;
  hours: ({ fromUs: Micros } & TrueOee)[];
  shifts: ({ shift: string } & TrueOee)[];
  orders: ({ order: string } & TrueOee)[];
}

/** What the plant's configuration says of the tags of these places that facts come from. */
function bindingsOf(ids: ReadonlyMap<string, number>): (StandardBinding & { address: string })[] {
  const sources = readdirSync(folder).map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
  const { configuration } = readConfiguration(sources, { env: () => "4840" });
  const models = new Map(configuration?.models?.map((model) => [`${model.name}@${model.version}`, model]));
  const modelAt = new Map(configuration?.equipment?.map(({ path, model }) => [path, models.get(model ?? "")]));
  const bindings: (StandardBinding & { address: string })[] = [];
  for (const [connectionId, { tags = [] }] of (configuration?.connections ?? []).entries())
    for (const { address, equipment = "", bind = [] } of tags) {
      const property = modelAt.get(equipment)?.properties.find((each) => each.name === bind[0]?.property);
      const equipmentId = ids.get(equipment);
      if (property === undefined || equipmentId === undefined) continue;
      const { kind, name, counts = "total" } = property;
      if (kind !== "itemState" && kind !== "operationMode" && kind !== "counter" && kind !== "pulse") continue;
      bindings.push({
        ...{ tenant: 1, address, tagId: bindings.length + 1, connectionId, equipmentId, property: name, kind },
        ...{ counts: kind === "counter" || kind === "pulse" ? counts : null, mapping: propertyMapping(property) },
        ...{ validFromUs: null, validToUs: null },
      });
    }
  return bindings;
}
