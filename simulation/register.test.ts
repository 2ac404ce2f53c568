import {
  type Equipment,
  ProblemError,
  type RawTag,
  type RouteBody,
  type RouteName,
  type RouteParams,
  type RouteQuery,
} from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lineKinds, PlantLine } from "./plant/index.ts";
import { type Registrar, registerPlant } from "./register.ts";

/** A call as the SDK makes it. */
interface Call<N extends RouteName> {
  params?: RouteParams<N>;
  query?: RouteQuery<N>;
  body?: RouteBody<N>;
  revision?: number;
}

/** Just enough of a registry: equipment by path, tags by address, revisions checked. */
class FakeRegistry {
  equipment: Equipment[] = [];
  tags: RawTag[] = [];
  changes: Call<"changeTag">[] = [];
  pageSize = 20;

  readonly platform: Registrar = {
    call: (async (name: RouteName, call: unknown) => this.#answer(name, call)) as Registrar["call"],
  };

  #answer(name: RouteName, call: unknown): unknown {
    switch (name) {
      case "listEquipment":
        return this.#page(this.equipment, (call as Call<"listEquipment">).query?.cursor);
      case "listTags": {
        const { connection, cursor } = (call as Call<"listTags">).query ?? {};
        return this.#page(
          this.tags.filter((tag) => tag.connection === connection),
          cursor,
        );
      }
      case "createEquipment":
        return { item: this.#create(call as Call<"createEquipment">) };
      case "resolveTags": {
        const { params, body } = call as Call<"resolveTags">;
        for (const address of body?.addresses ?? []) this.#tag(params?.connection ?? "", address);
        return { ids: [], faults: [] };
      }
      case "changeTag": {
        const change = call as Call<"changeTag">;
        const tag = this.tags.find(({ id }) => id === change.params?.id);
        if (!tag || tag.revision !== change.revision) throw new ProblemError("revision_conflict", "changed");
        Object.assign(tag, change.body, { revision: tag.revision + 1 });
        this.changes.push(change);
        return { item: tag };
      }
      default:
        throw new Error(`unexpected ${name}`);
    }
  }

  #page<T>(items: T[], cursor: string | undefined): { items: T[]; cursor: string | null } {
    const from = Number(cursor ?? 0);
    const to = from + this.pageSize;
    return { items: items.slice(from, to), cursor: to < items.length ? String(to) : null };
  }

  #create({ body }: Call<"createEquipment">): Equipment {
    if (!body) throw new Error("no body");
    const parent = this.equipment.find(({ id }) => id === body.parentId);
    const path = parent ? `${parent.path}/${body.name}` : body.name;
    if (this.equipment.some((e) => e.path === path)) throw new ProblemError("path_taken", "taken");
    const item: Equipment = {
      id: this.equipment.length + 1,
      level: body.level,
      name: body.name,
      parentId: body.parentId ?? null,
      path,
      lifecycle: "productive",
      revision: 1,
      changedUs: 0,
    };
    this.equipment.push(item);
    return item;
  }

  #tag(connection: string, address: string): void {
    if (this.tags.some((tag) => tag.connection === connection && tag.address === address)) return;
    this.tags.push({
      id: this.tags.length + 1,
      connectionId: 1,
      connection,
      address,
      name: null,
      equipmentId: null,
      unit: null,
      revision: 1,
      registeredUs: 0,
    });
  }
}

const lines = lineKinds.map((kind) => new PlantLine(kind, 1, Date.UTC(2026, 10, 22, 6) * 1000));
const { signal } = new AbortController();

describe("the plant in the registry", () => {
  it("creates site, area, work centre and work units, and assigns every tag", async () => {
    const registry = new FakeRegistry();
    const { created, assigned } = await registerPlant(registry.platform, lines, signal);
    expect(created).toBe(registry.equipment.length);
    expect(assigned).toBe(lines.reduce((sum, line) => sum + line.signals.length, 0));
    expect(registry.equipment.map(({ level, path }) => `${level} ${path}`)).toEqual(
      expect.arrayContaining([
        "site Northfield",
        "area Northfield/Filling",
        "workCenter Northfield/Filling/Bottling line 1",
        "workUnit Northfield/Filling/Bottling line 1/Filler 1",
        "workUnit Eastgate/Parts/Parts line 2/Moulding machine 1",
      ]),
    );
    expect(registry.tags.find(({ address }) => address === "Filler1.PV.BowlPressure")).toMatchObject({
      name: "Bowl pressure",
      unit: "kPa",
    });
  });

  it("changes nothing the second time, also when pages are small", async () => {
    const registry = new FakeRegistry();
    await registerPlant(registry.platform, lines, signal);
    registry.changes = [];
    registry.pageSize = 7;
    expect(await registerPlant(registry.platform, lines, signal)).toEqual({ created: 0, assigned: 0 });
    expect(registry.changes).toEqual([]);
  });

  it("leaves alone what people have named or assigned", async () => {
    const registry = new FakeRegistry();
    await registerPlant(registry.platform, lines, signal);
    Object.assign(registry.tags[0], { name: "Auftrag", equipmentId: 3 });
    Object.assign(registry.tags[1], { name: "Mine", equipmentId: null });
    await registerPlant(registry.platform, lines, signal);
    expect(registry.tags[0]).toMatchObject({ name: "Auftrag", equipmentId: 3 });
    expect(registry.tags[1]).toMatchObject({ name: "Mine" });
    expect(registry.tags[1].equipmentId).not.toBeNull();
  });
});
