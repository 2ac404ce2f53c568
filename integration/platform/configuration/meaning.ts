import {
  type Configuration,
  type ConfigurationProblem,
  type ConnectionEntry,
  configurationProblem,
  type EquipmentEntry,
  equipmentLevels,
  type Model,
  nameFault,
  type ProblemCode,
  parseTimeUs,
  type TagEntry,
} from "@lineshaft/contract/api";
import type { ConnectorType } from "@lineshaft/contract/ports";
import { Type } from "typebox";
import { atOnce } from "../registry/turns.ts";
import { unitFault } from "../registry/ucum.ts";
import { followRenames, modelKey } from "./canonical.ts";
import { conditionProblems } from "./meaning-conditions.ts";
import { mappingProblems } from "./meaning-mapping.ts";
import { secretsIn } from "./references.ts";
import { ownShapeProblems } from "./shape.ts";
import { escapePointer } from "./source.ts";
import { didYouMean, nearest } from "./suggest.ts";

/** What has to be known of a kind of connector. */
export type ConnectorKind = Pick<ConnectorType, "kind" | "config" | "tagOptions">;

/** Some tenths of a millisecond. */
const tagsAtOnce = 100;

const nothing = Type.Object({}, { additionalProperties: false });
/** Sources that send by themselves: they need no more than a name. */
export const httpKind: ConnectorKind = { kind: "http", config: nothing, tagOptions: nothing };

export interface MeaningOptions {
  /** Absent: kinds and what belongs to them are not looked at. */
  kinds?: readonly ConnectorKind[];
  /** Of whoever asks: what stands above a scope is not part of the configuration. Default: all of the enterprise. */
  scopes?: readonly string[];
  /** What there is: stands for the sections that are left out. */
  current?: Configuration;
}

/** What a configuration of the right shape says that cannot be. Sections that are left out are not referred to. */
export const meaningProblems = (configuration: Configuration, options: MeaningOptions = {}): ConfigurationProblem[] =>
  atOnce(meaningInParts(configuration, options));

/** The same, with others having their turn between its parts. */
export function* meaningInParts(
  configuration: Configuration,
  options: MeaningOptions = {},
): Generator<void, ConfigurationProblem[]> {
  const check = new Check({ ...options.current, ...configuration }, options);
  check.enterprise();
  check.models();
  yield;
  check.equipment();
  yield;
  yield* check.connections();
  return check.problems;
}

class Check {
  readonly problems: ConfigurationProblem[] = [];
  readonly #configuration: Configuration;
  readonly #options: MeaningOptions;
  readonly #equipment: Map<string, EquipmentEntry>;
  readonly #models: Map<string, Model>;
  readonly #follow: (path: string) => string;
  /** Intervals by property of equipment, with the tag that has it. */
  readonly #bound = new Map<string, { from: number; to: number; tag: string }[]>();

  constructor(configuration: Configuration, options: MeaningOptions) {
    this.#configuration = configuration;
    this.#options = options;
    // Of two of the same name the first counts, so that the second is the only mistake.
    this.#equipment = new Map((configuration.equipment ?? []).toReversed().map((entry) => [entry.path, entry]));
    this.#models = new Map((configuration.models ?? []).map((model) => [modelKey(model), model]));
    this.#follow = followRenames(configuration.equipment ?? []);
  }

  #add(code: ProblemCode, path: string, message: string, action?: string): void {
    this.problems.push(configurationProblem(code, path, message, action));
  }

  #name(name: string, path: string, slash: "allowed" | "refused"): void {
    const fault = nameFault(name, slash);
    if (fault !== null)
      this.#add("name_invalid", path, `${JSON.stringify(name.slice(0, 80))} cannot be a name. ${fault}`);
  }

  #unit(unit: string | undefined, path: string): void {
    const fault = unit === undefined ? null : unitFault(unit);
    if (fault !== null) this.#add("unit_unknown", path, `${JSON.stringify(unit)} is no UCUM unit: ${fault}`);
  }

  /** Complains of each that was there before. */
  #unique<T>(items: readonly T[], key: (item: T) => string, path: string, what: string): void {
    const seen = new Map<string, number>();
    for (const [i, item] of items.entries()) {
      const first = seen.get(key(item));
      if (first === undefined) seen.set(key(item), i);
      else
        this.#add(
          "key_duplicate",
          `${path}/${i}`,
          `The ${what} ${JSON.stringify(key(item))} was already named, as number ${first + 1}.`,
        );
    }
  }

  enterprise(): void {
    const { enterprise } = this.#configuration;
    if (enterprise !== undefined) this.#name(enterprise, "/enterprise", "refused");
  }

  models(): void {
    const { models = [] } = this.#configuration;
    this.#unique(models, modelKey, "/models", "model");
    for (const [i, { properties }] of models.entries()) {
      const base = `/models/${i}/properties`;
      this.#unique(properties, ({ name }) => name, base, "property");
      for (const [j, property] of properties.entries()) {
        const { kind, counts, unit, range, mapping } = property;
        this.problems.push(...conditionProblems(property, properties, `${base}/${j}`));
        this.#unit(unit, `${base}/${j}/unit`);
        this.problems.push(...mappingProblems(mapping, `${base}/${j}/mapping`));
        if (range !== undefined && range[0] > range[1])
          this.#add(
            "range_invalid",
            `${base}/${j}/range`,
            `The range begins at ${range[0]}, above its end ${range[1]}.`,
            "Give the least value first.",
          );
        if (counts !== undefined && kind !== "counter" && kind !== "pulse")
          this.#add(
            "request_invalid",
            `${base}/${j}/counts`,
            `A property of kind ${kind} counts nothing.`,
            "Leave `counts` out, or use the kind counter or pulse.",
          );
      }
    }
  }

  equipment(): void {
    const { equipment = [] } = this.#configuration;
    this.#unique(equipment, ({ path }) => path, "/equipment", "equipment");
    this.#unique(
      equipment.filter(({ was }) => was !== undefined),
      ({ was }) => was ?? "",
      "/equipment",
      "former path",
    );
    for (const [i, entry] of equipment.entries()) {
      const { path, level, model } = entry;
      const base = `/equipment/${i}`;
      const faults = this.problems.length;
      for (const name of path.split("/")) this.#name(name, `${base}/path`, "refused");
      if (this.problems.length > faults) continue;
      const parentPath = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
      const parent = this.#equipment.get(parentPath);
      if (parent !== undefined && equipmentLevels.indexOf(level) <= equipmentLevels.indexOf(parent.level))
        this.#add(
          "equipment_level_invalid",
          `${base}/level`,
          `A ${level} cannot stand below the ${parent.level} ${JSON.stringify(parentPath)}.`,
        );
      if (parent === undefined && parentPath !== "" && this.#mine(parentPath))
        this.#add(
          "reference_unknown",
          `${base}/path`,
          `There is no equipment ${JSON.stringify(parentPath)} for it to stand in.${didYouMean(parentPath, this.#equipment.keys())}`,
        );
      if (model !== undefined && this.#configuration.models !== undefined && !this.#models.has(model))
        this.#add(
          "reference_unknown",
          `${base}/model`,
          `There is no model ${JSON.stringify(model)}.${didYouMean(model, this.#models.keys())}`,
        );
    }
  }

  #mine(path: string): boolean {
    const { scopes = [""] } = this.#options;
    return scopes.some((scope) => scope === "" || path === scope || path.startsWith(`${scope}/`));
  }

  *connections(): Generator<void> {
    const { connections = [] } = this.#configuration;
    this.#unique(connections, ({ name }) => name, "/connections", "connection");
    for (const [i, connection] of connections.entries()) {
      yield* this.#connection(connection, `/connections/${i}`);
      yield;
    }
  }

  *#connection(connection: ConnectionEntry, base: string): Generator<void> {
    const { kind, scope = "", config = {}, tags = [] } = connection;
    const known = this.#kind(kind, `${base}/kind`);
    if (known !== null) this.problems.push(...ownShapeProblems(known.config, config, `${base}/config`));
    this.#secrets(config, `${base}/config`);
    if (scope !== "" && !this.#equipment.has(this.#follow(scope))) {
      // A scope may name a place that is still to come, but rarely one that differs in a letter from what is there.
      const meant = nearest(scope, this.#equipment.keys());
      if (meant !== null)
        this.#add(
          "reference_unknown",
          `${base}/scope`,
          `There is no equipment ${JSON.stringify(scope)}. Did you mean ${JSON.stringify(meant)}?`,
        );
    }
    this.#unique(tags, ({ address }) => address, `${base}/tags`, "address");
    for (const [i, tag] of tags.entries()) {
      this.#tag(connection, tag, `${base}/tags/${i}`, known);
      if (i % tagsAtOnce === tagsAtOnce - 1) yield;
    }
  }

  /** null where its schemas are not known or there is nothing to check. */
  #kind(kind: string, path: string): ConnectorKind | null {
    const { kinds } = this.#options;
    const known = kinds?.find((one) => one.kind === kind) ?? null;
    if (kinds !== undefined && known === null) {
      const names = kinds.map((one) => one.kind);
      const meant = didYouMean(kind, names);
      this.#add(
        "connection_kind_unknown",
        path,
        `There is no kind ${JSON.stringify(kind)}.${meant === "" ? ` There are: ${names.join(", ")}.` : meant}`,
      );
    }
    return known;
  }

  #secrets(value: unknown, path: string): void {
    if (typeof value === "string") {
      if (secretsIn(value).includes(null))
        this.#add(
          "reference_unknown",
          path,
          `${JSON.stringify(value.slice(0, 80))} holds a reference that is no name of a secret.`,
          "Names of secrets have letters, digits, '.', '_' and '-'.",
        );
    } else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) this.#secrets(item, `${path}/${escapePointer(key)}`);
  }

  #tag(connection: ConnectionEntry, tag: TagEntry, base: string, kind: ConnectorKind | null): void {
    const { address, name, equipment, unit, class: sampling, options, bind = [] } = tag;
    this.#name(address, `${base}/address`, "allowed");
    if (name !== undefined) this.#name(name, `${base}/name`, "refused");
    this.#unit(unit, `${base}/unit`);
    if (equipment !== undefined) this.#place(equipment, `${base}/equipment`);
    const classes = connection.classes ?? {};
    if (sampling !== undefined && !Object.hasOwn(classes, sampling))
      this.#add(
        "reference_unknown",
        `${base}/class`,
        `The connection has no class ${JSON.stringify(sampling)}.${didYouMean(sampling, Object.keys(classes))}`,
        "Name one of the connection's `classes`, or add it there.",
      );
    if (kind !== null && options !== undefined)
      this.problems.push(...ownShapeProblems(kind.tagOptions, options, `${base}/options`));
    for (const [i, binding] of bind.entries()) {
      const at = `${base}/bind/${i}`;
      this.problems.push(...mappingProblems(binding.mapping, `${at}/mapping`));
      const place = binding.equipment ?? equipment;
      if (place === undefined)
        this.#add("reference_unknown", at, "Neither the binding nor its tag names an equipment.", "Add `equipment`.");
      else if (binding.equipment === undefined || this.#place(place, `${at}/equipment`))
        this.#property(place, binding.property, at);
      const from = this.#time(binding.validFrom, Number.NEGATIVE_INFINITY, `${at}/validFrom`);
      const to = this.#time(binding.validTo, Number.POSITIVE_INFINITY, `${at}/validTo`);
      if (from === null || to === null || place === undefined) continue;
      if (from >= to)
        this.#add("range_invalid", `${at}/validTo`, "The binding ends before it begins.", "Give validFrom < validTo.");
      else
        this.#overlap(
          `${this.#follow(place)}#${binding.property}`,
          { from, to, tag: `${connection.name}/${address}` },
          at,
        );
    }
  }

  #place(path: string, at: string): boolean {
    if (this.#configuration.equipment === undefined || this.#equipment.has(this.#follow(path))) return true;
    this.#add(
      "reference_unknown",
      at,
      `There is no equipment ${JSON.stringify(path)}.${didYouMean(path, this.#equipment.keys())}`,
    );
    return false;
  }

  #property(path: string, property: string, at: string): void {
    const entry = this.#equipment.get(this.#follow(path));
    if (entry === undefined || this.#configuration.models === undefined) return;
    const model = entry.model === undefined ? undefined : this.#models.get(entry.model);
    if (entry.model === undefined)
      this.#add(
        "reference_unknown",
        at,
        `${JSON.stringify(path)} has no model, so it has no property ${JSON.stringify(property)}.`,
        "Give the equipment a model.",
      );
    else if (model?.properties.find(({ name }) => name === property)?.conditions !== undefined)
      this.#add(
        "reference_unknown",
        `${at}/property`,
        `${JSON.stringify(property)} is told by the conditions of ${entry.model}, not by a tag.`,
        "Bind the tag to a property that the conditions name.",
      );
    else if (model !== undefined && !model.properties.some(({ name }) => name === property)) {
      const names = model.properties.map(({ name }) => name);
      this.#add(
        "reference_unknown",
        `${at}/property`,
        `The model ${entry.model} has no property ${JSON.stringify(property)}.${didYouMean(property, names) || ` There are: ${names.join(", ")}.`}`,
      );
    }
  }

  #time(text: string | undefined, otherwise: number, at: string): number | null {
    if (text === undefined) return otherwise;
    const time = /^-?\d+$/.test(text) ? null : parseTimeUs(text);
    if (time === null)
      this.#add(
        "time_invalid",
        at,
        `${JSON.stringify(text)} is no time with a zone.`,
        "Write it like 2026-11-22T06:00:00+01:00.",
      );
    return time;
  }

  /** A property has one source at a time. */
  #overlap(key: string, interval: { from: number; to: number; tag: string }, at: string): void {
    const others = this.#bound.get(key) ?? [];
    const other = others.find(({ from, to }) => interval.from < to && from < interval.to);
    if (other !== undefined)
      this.#add(
        "key_duplicate",
        at,
        `${JSON.stringify(key)} has the tag ${JSON.stringify(other.tag)} at the same time.`,
        "Let one binding end before the other begins.",
      );
    others.push(interval);
    this.#bound.set(key, others);
  }
}
