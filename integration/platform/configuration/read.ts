import { type Configuration, type ConfigurationProblem, configurationProblem } from "@lineshaft/contract/api";
import { atOnce } from "../registry/turns.ts";
import { type MeaningOptions, meaningInParts, meaningProblems } from "./meaning.ts";
import { configurationShapeProblems } from "./shape.ts";
import {
  defaultSourceLimits,
  escapePointer,
  type Place,
  type ReadSource,
  readPointer,
  readSource,
  type Source,
  type SourceLimits,
} from "./source.ts";

export interface ReadOptions extends MeaningOptions {
  /** The variables that the text may refer to; null: none may. */
  env: ((name: string) => string | undefined) | null;
  limits?: SourceLimits;
}

export interface ReadConfiguration {
  /** null when there are problems. */
  configuration: Configuration | null;
  problems: ConfigurationProblem[];
  /** Puts file, line and column to problems that were found later, by a server. */
  place(problem: ConfigurationProblem): ConfigurationProblem;
}

const sections = ["models", "equipment", "connections"] as const;
type Section = (typeof sections)[number];

/**
 * One configuration out of several files: lists are joined, everything else may stand in one of them. Checks text, shape and meaning; each
 * problem says where it stands.
 */
export function readConfiguration(sources: readonly Source[], options: ReadOptions): ReadConfiguration {
  const limits = options.limits ?? defaultSourceLimits;
  const read = sources.map((source) => readSource(source, options.env, limits));
  const found = read.flatMap(({ problems }) => problems);
  const merged = new Merged(read);
  const finish = (configuration: Configuration | null, problems: ConfigurationProblem[]): ReadConfiguration => ({
    configuration: problems.length === 0 ? configuration : null,
    problems: problems.slice(0, limits.problems).sort(byPlace),
    place: (problem) => merged.place(problem),
  });
  if (found.length > 0) return finish(null, found);

  const misshapen = read.flatMap((file) => shapeOf(file));
  if (misshapen.length > 0) return finish(null, misshapen);
  const configuration = merged.configuration();
  const problems = [...merged.problems, ...meaningProblems(configuration, options)];
  return finish(
    configuration,
    problems.map((problem) => merged.place(problem)),
  );
}

function shapeOf(file: ReadSource): ConfigurationProblem[] {
  // An empty document would read as `null`, which tells nobody what is wrong.
  const root = file.root ?? {};
  return configurationShapeProblems(root).map((problem) => ({
    ...problem,
    ...file.placeOf(readPointer(problem.path), problem.code === "key_unknown" ? "key" : "value"),
  }));
}

/** Knows for each place in the whole which file it came from. */
class Merged {
  readonly problems: ConfigurationProblem[] = [];
  readonly #files: readonly ReadSource[];
  /** For each item of a section: its file and its place in that. */
  readonly #origin: Record<Section, { file: ReadSource; index: number }[]> = {
    models: [],
    equipment: [],
    connections: [],
  };
  #enterprise: ReadSource | null = null;

  constructor(files: readonly ReadSource[]) {
    this.#files = files;
  }

  configuration(): Configuration {
    const out: Configuration = { version: 1 };
    for (const file of this.#files) {
      const part = file.root as Configuration;
      if (part.enterprise !== undefined) {
        if (this.#enterprise !== null)
          this.problems.push({
            ...configurationProblem("key_duplicate", "/enterprise", "Another file names the enterprise too."),
            ...file.placeOf(["enterprise"], "key"),
          });
        this.#enterprise = file;
        out.enterprise = part.enterprise;
      }
      for (const section of sections) {
        const items: unknown[] | undefined = part[section];
        if (items === undefined) continue;
        const all: unknown[] = out[section] ?? [];
        (out as Record<Section, unknown[]>)[section] = all;
        for (const [index, item] of items.entries()) {
          all.push(item);
          this.#origin[section].push({ file, index });
        }
      }
    }
    return out;
  }

  place(problem: ConfigurationProblem): ConfigurationProblem {
    if (problem.line !== undefined) return problem;
    const [section = "", index = "", ...rest] = readPointer(problem.path);
    const origin = this.#origin[section as Section]?.[Number(index)];
    const what = problem.code === "key_unknown" ? "key" : "value";
    const place: Place | undefined =
      origin === undefined
        ? (this.#enterprise ?? this.#files[0])?.placeOf([section, index].filter((step) => step !== ""))
        : origin.file.placeOf([section, origin.index, ...rest], what);
    return { ...problem, ...place };
  }
}

const byPlace = (a: ConfigurationProblem, b: ConfigurationProblem): number =>
  (a.file ?? "").localeCompare(b.file ?? "", "en") ||
  (a.line ?? 0) - (b.line ?? 0) ||
  (a.column ?? 0) - (b.column ?? 0);

/** A configuration that came as values: the same checks, without places. */
export const checkConfiguration = (value: unknown, options: MeaningOptions): ConfigurationProblem[] =>
  atOnce(checkInParts(value, options));

/** The same, with others having their turn between its parts. */
export function* checkInParts(value: unknown, options: MeaningOptions): Generator<void, ConfigurationProblem[]> {
  const keys = hasPlainKeys(value, 0) ? [] : keyProblems(value, "", 0);
  yield;
  const shape = [...keys, ...configurationShapeProblems(value)];
  yield;
  return shape.length > 0 ? shape : yield* meaningInParts(value as Configuration, options);
}

const reservedKeys: readonly string[] = ["__proto__", "constructor", "prototype"];

/** Most often there is nothing to complain of, and no path is made up. */
function hasPlainKeys(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth > defaultSourceLimits.depth) return false;
  for (const key of Object.keys(value))
    if (reservedKeys.includes(key) || !hasPlainKeys((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}

/** Keys that could reach into objects of the program, wherever a schema leaves keys free (A29). */
function keyProblems(value: unknown, path: string, depth: number): ConfigurationProblem[] {
  if (typeof value !== "object" || value === null) return [];
  if (depth > defaultSourceLimits.depth)
    return [configurationProblem("json_too_deep", path, "It is nested too deeply.")];
  return Object.entries(value).flatMap(([key, item]) => {
    const below = `${path}/${escapePointer(key)}`;
    return reservedKeys.includes(key)
      ? [configurationProblem("reserved_key", below, `The key ${key} is reserved.`)]
      : keyProblems(item, below, depth + 1);
  });
}
