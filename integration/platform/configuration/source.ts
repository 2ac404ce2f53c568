import { type ConfigurationProblem, configurationProblem, type ProblemCode } from "@lineshaft/contract/api";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { expandEnvironment, hasEnvironment } from "./references.ts";

/** One file of a configuration, or the body of a request. */
export interface Source {
  file: string;
  text: string;
}

export interface Place {
  file: string;
  line: number;
  column: number;
}

export interface SourceLimits {
  /** Characters a file. Reading takes some 0.7 s a MiB. */
  textLength: number;
  /** Nodes that aliases may repeat in all, so that a few lines cannot grow into gigabytes. */
  aliasedNodes: number;
  depth: number;
  problems: number;
}
export const defaultSourceLimits: SourceLimits = {
  textLength: 32 * 1024 * 1024,
  aliasedNodes: 100_000,
  depth: 32,
  problems: 100,
};

/** A file as plain values, and where each of them stands. `root` is undefined when the text is not YAML. */
export interface ReadSource {
  document: Document;
  root: unknown;
  problems: ConfigurationProblem[];
  /** The place of the value at this path, or of the nearest one around it; `key`: of its key. */
  placeOf(path: readonly (string | number)[], what?: "value" | "key"): Place;
}

const reservedKeys = new Set(["__proto__", "constructor", "prototype"]);
const plainTags = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((t) => `tag:yaml.org,2002:${t}`));

/**
 * Reads one YAML file. Every key is known to be named once and harmless, every number to be kept exactly, every alias to be bounded.
 * `env` gives the variables that the text may refer to; null: none, as for text that came over the network.
 */
export function readSource(
  source: Source,
  env: ((name: string) => string | undefined) | null,
  limits: SourceLimits = defaultSourceLimits,
): ReadSource {
  const { file, text } = source;
  const lines = new LineCounter();
  const tooLong = text.length > limits.textLength;
  const document = parseDocument(tooLong ? "" : text, {
    lineCounter: lines,
    // Checked below: the library's own check takes quadratic time.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
    keepSourceTokens: false,
  });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const reader = new Reader(document, placeAt, env, limits);
  if (tooLong) {
    const detail = `The text has ${text.length} characters; at most ${limits.textLength} are read at once.`;
    reader.complain(
      "body_too_large",
      "",
      0,
      detail,
      "Divide it into several files, or send it with `lineshaft apply`.",
    );
  }
  // What follows the first mistake in the syntax is mostly its echo.
  for (const error of document.errors.slice(0, 1))
    reader.complain("yaml_invalid", "", error.pos[0], syntaxFault(error));
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== "1.2")
    reader.complain("yaml_invalid", "", 0, "The file asks for an older YAML, in which `no` is false and 010 is eight.");
  const root = reader.problems.length > 0 ? undefined : reader.value(document.contents, "", 0, false);
  return { document, root, problems: reader.problems, placeOf: (path, what) => placeAt(reader.offsetOf(path, what)) };
}

function syntaxFault({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "A second document begins here; give each a file of its own.";
  return message.replace(/\.?$/, ".");
}

class Reader {
  readonly problems: ConfigurationProblem[] = [];
  readonly #document: Document;
  readonly #placeAt: (offset: number) => Place;
  readonly #env: ((name: string) => string | undefined) | null;
  readonly #limits: SourceLimits;
  readonly #anchors = new Map<string, Node>();
  #aliased = 0;

  constructor(
    document: Document,
    placeAt: (offset: number) => Place,
    env: ((name: string) => string | undefined) | null,
    limits: SourceLimits,
  ) {
    this.#document = document;
    this.#placeAt = placeAt;
    this.#env = env;
    this.#limits = limits;
  }

  complain(code: ProblemCode, path: string, offset: number, message: string, action?: string): void {
    if (this.problems.length >= this.#limits.problems) return;
    this.problems.push({ ...configurationProblem(code, path, message, action), ...this.#placeAt(offset) });
  }

  value(node: unknown, path: string, depth: number, repeated: boolean): unknown {
    if (!isNode(node)) return null;
    const at = node.range?.[0] ?? 0;
    if (depth > this.#limits.depth) {
      this.complain("json_too_deep", path, at, `Nested more than ${this.#limits.depth} levels deep.`);
      return null;
    }
    if (repeated && ++this.#aliased > this.#limits.aliasedNodes) {
      if (this.#aliased === this.#limits.aliasedNodes + 1)
        this.complain("yaml_invalid", path, at, `Aliases repeat more than ${this.#limits.aliasedNodes} values.`);
      return null;
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.value(target, path, depth + 1, true);
      this.complain("reference_unknown", path, at, `There is no anchor &${node.source} before this.`);
      return null;
    }
    if (node.tag !== undefined && !plainTags.has(node.tag))
      this.complain("yaml_invalid", path, at, `The tag ${JSON.stringify(node.tag)} is not one of plain YAML.`);
    // Known only once it is complete, so that nothing can hold itself.
    const value = this.#content(node, path, depth, repeated);
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return value;
  }

  #content(node: Node, path: string, depth: number, repeated: boolean): unknown {
    if (isMap(node)) return this.#map(node, path, depth, repeated);
    if (isSeq(node)) return node.items.map((item, i) => this.value(item, `${path}/${i}`, depth + 1, repeated));
    return isScalar(node) ? this.#scalar(node, path) : null;
  }

  #map(node: YAMLMap, path: string, depth: number, repeated: boolean): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const pair of node.items) {
      const at = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? node.range?.[0] ?? 0;
      const key = keyOf(pair);
      if (key === null) {
        this.complain("yaml_invalid", path, at, "A key must be a plain text.");
        continue;
      }
      const below = `${path}/${escapePointer(key)}`;
      if (reservedKeys.has(key)) this.complain("reserved_key", below, at, `The key ${key} is reserved.`);
      else if (Object.hasOwn(out, key))
        this.complain("key_duplicate", below, at, `The key ${JSON.stringify(key)} stands here twice.`);
      else out[key] = this.value(pair.value, below, depth + 1, repeated);
    }
    return out;
  }

  #scalar(node: Scalar, path: string): unknown {
    const at = node.range?.[0] ?? 0;
    const { value } = node;
    if (typeof value === "number") {
      // A whole number is kept when it would be written the same again.
      const digits = /^[-+]?\d{16,}$/.test(node.source ?? "") ? (node.source as string).replace("+", "") : null;
      const exact = Number.isFinite(value) && (digits === null || String(value) === digits);
      if (!exact) this.complain("number_out_of_range", path, at, `${node.source ?? value} cannot be kept exactly.`);
      // A configuration knows one zero: JSON, in which it is kept and sent, has no other.
      return value === 0 ? 0 : value;
    }
    if (typeof value !== "string" || !hasEnvironment(value)) return value;
    const { text, missing } = expandEnvironment(value, this.#env);
    for (const name of missing) {
      const why = this.#env === null ? "is not read for text that was sent" : "is not set";
      this.complain("environment_missing", path, at, `The environment variable ${name} ${why}.`);
    }
    // Unquoted, a reference stands for what would have been written in its place: a port stays a number.
    if (node.type !== "PLAIN" || text === value) return text;
    const resolved = /^[\w.+-]{1,40}$/.test(text) ? parseDocument(text).contents : null;
    return isScalar(resolved) && ["number", "boolean"].includes(typeof resolved.value) ? resolved.value : text;
  }

  offsetOf(path: readonly (string | number)[], what: "value" | "key" = "value"): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const [i, step] of path.entries()) {
      if (isAlias(node)) node = this.#anchors.get(node.source);
      if (isSeq(node)) node = node.items[Number(step)];
      else if (isMap(node)) {
        const pair = node.items.find((item) => keyOf(item) === String(step));
        if (pair === undefined) return offset;
        if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
        if (what === "key" && i === path.length - 1) return offset;
        node = pair.value;
      } else return offset;
      if (isNode(node) && node.range != null) offset = node.range[0];
    }
    return offset;
  }
}

function keyOf(pair: Pair): string | null {
  const { key } = pair;
  if (!isPair(pair) || !isScalar(key)) return null;
  // As written, so that a version 1.0 or an enumerated 010 keeps its spelling.
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

/** RFC 6901. */
export function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

export function readPointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
