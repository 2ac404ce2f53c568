import type {
  BindingEntry,
  Configuration,
  ConnectionEntry,
  EquipmentEntry,
  Model,
  TagEntry,
} from "@lineshaft/contract/api";
import fc from "fast-check";

// What people and sources call things, as far as it has ever confused a file format.
const awkward = [
  "yes",
  "no",
  "null",
  "~",
  "0x1F",
  "1e3",
  "-0",
  "2026-01-01",
  "010",
  "- a",
  "a: b",
  "a #b",
  "{a}",
  "[b",
  "&a",
  "*a",
  "!t",
  "%d",
  "@x",
  "`y",
  "'q'",
  '"',
  "a\\b",
  " a",
  "a ",
  "ä",
  "e\u0301",
  "🏭",
  "مصنع",
  "\u0085",
  "\u2028",
  "\ufeff",
  "$",
  "a,b",
  "|",
  ">",
  "?",
  "constructor",
  "__proto__",
  "$" + "{env:HOME}",
  "$$" + "{env:X}",
  "$" + "{secret:x}",
  "=cmd",
];
const name = fc.oneof(fc.constantFrom("Line 1", "Filler", "Hall", "Press"), fc.constantFrom(...awkward));
const unit = fc.constantFrom("Cel", "bar", "%", "mm/s", "1", "kg");
const json = fc
  .jsonValue({ maxDepth: 2 })
  .filter((value) => !/__proto__|constructor|prototype/.test(JSON.stringify(value)));
const free = fc.dictionary(fc.constantFrom("host", "port", "password", "nested", "a b", "1"), fc.oneof(json, name), {
  maxKeys: 3,
  noNullPrototype: true,
});

const models: readonly Model[] = [
  {
    name: "filler",
    version: "1.0.0",
    properties: [
      { name: "state", kind: "itemState", enum: { "0": "NotExecuting", "1": "Executing" } },
      { name: "good", kind: "counter", counts: "good", type: "int64" },
    ],
  },
  {
    name: "filler",
    version: "1.10.0",
    properties: [
      { name: "state", kind: "itemState" },
      { name: "good", kind: "counter" },
      { name: "temperature", kind: "processValue", unit: "Cel", range: [-10, 120.5] },
    ],
  },
  {
    name: "press",
    version: "2.0.0",
    properties: [
      { name: "state", kind: "itemState" },
      { name: "good", kind: "pulse" },
    ],
  },
];
const levels = ["site", "area", "workCenter", "workUnit"] as const;

interface Seed {
  name: string;
  level: number;
  parent: number;
  lifecycle: EquipmentEntry["lifecycle"];
  model: number;
}

/** Equipment whose levels go down and whose paths are all different. */
function treeOf(seeds: Seed[]): EquipmentEntry[] {
  const tree: EquipmentEntry[] = [];
  for (const seed of seeds) {
    const parents = tree.filter((entry) => levels.indexOf(entry.level) < seed.level);
    const parent = parents[seed.parent % (parents.length + 1)];
    const path = parent === undefined ? seed.name : `${parent.path}/${seed.name}`;
    if (tree.some((entry) => entry.path === path)) continue;
    const model = models[seed.model];
    const lifecycle = seed.lifecycle === undefined ? {} : { lifecycle: seed.lifecycle };
    tree.push({
      path,
      level: levels[seed.level],
      ...lifecycle,
      ...(model === undefined ? {} : { model: `${model.name}@${model.version}` }),
    });
  }
  return tree;
}

const tree = fc
  .array(
    fc.record({
      name,
      level: fc.nat(3),
      parent: fc.nat(9),
      lifecycle: fc.constantFrom(undefined, "test" as const, "retired" as const),
      model: fc.nat(5),
    }),
    { maxLength: 8 },
  )
  .map(treeOf);

const tagSeed = fc.record({
  address: fc.oneof(fc.constantFrom("DB1.X", "ns=2;s=Temp", "a/b"), fc.constantFrom(...awkward)),
  name: fc.option(name, { nil: undefined }),
  place: fc.nat(20),
  unit: fc.option(unit, { nil: undefined }),
  fast: fc.boolean(),
  options: fc.option(free, { nil: undefined }),
  bind: fc.boolean(),
  from: fc.option(fc.integer({ min: 0, max: 4_000_000_000 }), { nil: undefined }),
});
const connectionSeed = fc.record({
  name: fc.constantFrom("plc", "opc-1", "0", "a.b", "line_2"),
  kind: fc.constantFrom("http", "opcua"),
  scope: fc.nat(20),
  corrections: fc.boolean(),
  config: free,
  tags: fc.array(tagSeed, { maxLength: 4 }),
});

const time = (seconds: number): string => new Date(seconds * 1000).toISOString();
const given = <T extends object>(parts: T): Partial<T> =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as Partial<T>;

/** With all that a text in YAML may stumble over. */
const condition = ` value > 5.0 // "a": #1, \${env:HOME}\n  && value < 20.0 `;

/** Any configuration that means something, small enough to shrink well. Bindings do not compete for a property. */
export const anyConfiguration: fc.Arbitrary<Configuration> = fc
  .record({ tree, connections: fc.uniqueArray(connectionSeed, { selector: (one) => one.name, maxLength: 3 }) })
  .map(({ tree: equipment, connections }) => {
    const bound = new Set<string>();
    const entry = (seed: (typeof connections)[number]): ConnectionEntry => ({
      name: seed.name,
      kind: seed.kind,
      ...given({ scope: equipment[seed.scope]?.path, corrections: seed.corrections || undefined }),
      config: seed.config,
      classes: { fast: { samplingMs: 100, queueSize: 10 } },
      tags: [...new Map(seed.tags.map((tag) => [tag.address, tag])).values()].map((tag): TagEntry => {
        const place = equipment[tag.place];
        const bind: BindingEntry[] = [];
        const property = `${place?.path}#good`;
        if (tag.bind && place?.model !== undefined && !bound.has(property)) {
          bound.add(property);
          const validFrom = tag.from === undefined ? undefined : time(tag.from);
          const mapping = tag.fast
            ? { counter: { width: "uint16" as const, maxPerSecond: 2 } }
            : tag.from === undefined
              ? undefined
              : { states: [{ when: condition, itemState: "Executing" as const }] };
          bind.push({ property: "good", ...given({ validFrom, mapping }) });
        }
        return {
          address: tag.address,
          ...given({
            name: tag.name,
            equipment: place?.path,
            unit: tag.unit,
            class: tag.fast ? "fast" : undefined,
            options: tag.options,
            behaviour: tag.bind && tag.fast ? ("event" as const) : undefined,
          }),
          ...(bind.length === 0 ? {} : { bind }),
        };
      }),
    });
    return { version: 1, models: [...models], equipment, connections: connections.map(entry) };
  });
