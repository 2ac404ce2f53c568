import type { Configuration } from "@lineshaft/contract/api";
import { Document, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from "yaml";
import { canonical, modelKey, same } from "./canonical.ts";
import { escapeEnvironment } from "./references.ts";
import { readSource } from "./source.ts";

// Never folded: a row of a table stays a line, and the text does not depend on its length.
const style = { lineWidth: 0, flowCollectionPadding: true } as const;

/** A configuration as YAML: one order, one spelling, so that two exports can be compared line by line. */
export function renderConfiguration(configuration: Configuration): string {
  const document = new Document(escaped(canonical(configuration)), { aliasDuplicateObjects: false });
  if (isMap(document.contents)) asTables(document.contents);
  return document.toString(style);
}

/**
 * `text` changed as little as possible, so that it says what `wanted` says: comments, order, spelling and references stay where their item stays. `env` is
 * what references were put in from. `text` must be free of problems.
 */
export function rewriteConfiguration(
  text: string,
  wanted: Configuration,
  env: ((name: string) => string | undefined) | null = null,
): string {
  const { document, root } = readSource({ file: "", text }, env);
  if (!isMap(document.contents)) return renderConfiguration(wanted);
  const before = canonical(root as Configuration);
  const after = canonical(wanted, before);
  reconcile(document, document.contents, before, after);
  return document.toString(style);
}

type Values = Record<string, unknown>;

/** What makes two items of a list the same thing; lists without an entry here are replaced whole. */
const identities: Record<string, (item: Values) => unknown> = {
  models: (item) => modelKey(item as { name: string; version: string }),
  properties: (item) => item.name,
  equipment: (item) => item.path,
  connections: (item) => item.name,
  tags: (item) => item.address,
};

function reconcile(document: Document, node: YAMLMap, before: Values, after: Values): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (same(before[key], after[key])) continue;
    const present = node.get(key, true) as Node | undefined;
    const identity = identities[key];
    if (!Object.hasOwn(after, key)) node.delete(key);
    else if (identity !== undefined && isSeq(present) && Array.isArray(after[key]))
      reconcileList(document, present, (before[key] ?? []) as Values[], after[key] as Values[], identity, key);
    else if (isMap(present) && isPlainObject(before[key]) && isPlainObject(after[key]))
      reconcile(document, present, before[key], after[key]);
    // The scalar itself stays, and with it the comment behind it.
    else if (isScalar(present) && !isObject(after[key])) {
      present.value = escaped(after[key]);
      present.source = undefined;
    } else node.set(key, newNode(document, key, after[key]));
  }
}

function reconcileList(
  document: Document,
  node: YAMLSeq,
  before: Values[],
  after: Values[],
  identity: (item: Values) => unknown,
  key: string,
): void {
  const earlier = new Map(before.map((item) => [identity(item), item]));
  const wanted = new Map(after.map((item) => [identity(item), item]));
  const kept = new Set<unknown>();
  node.items = node.items.filter((item) => {
    const id = isMap(item) ? identity(item.toJS(document) as Values) : undefined;
    const [was, is] = [earlier.get(id), wanted.get(id)];
    if (!isMap(item) || was === undefined || is === undefined) return false;
    kept.add(id);
    reconcile(document, item, was, is);
    return true;
  });
  const added = after.filter((item) => !kept.has(identity(item)));
  const fresh = newNode(document, key, added) as YAMLSeq;
  if (node.flow === true && added.length > 0) node.flow = false;
  node.items.push(...fresh.items);
}

/** A node of its own, dressed as it would be in a whole text. */
function newNode(document: Document, key: string, value: unknown): Node {
  const holder = document.createNode({ [key]: escaped(value) }, { aliasDuplicateObjects: false }) as YAMLMap;
  asTables(holder);
  return holder.get(key, true) as Node;
}

/** Equipment, properties, tags and classes as tables: a row a line. */
function asTables(map: YAMLMap): void {
  for (const row of rowsOf(map, "equipment")) row.flow = true;
  for (const row of rowsOf(map, "properties")) row.flow = true;
  for (const row of rowsOf(map, "tags")) row.flow = true;
  const classes = map.get("classes", true);
  if (isMap(classes)) for (const { value } of classes.items) if (isMap(value)) value.flow = true;
  for (const item of [...rowsOf(map, "models"), ...rowsOf(map, "connections")]) asTables(item);
}

function rowsOf(map: YAMLMap, key: string): YAMLMap[] {
  const list = map.get(key, true);
  return isSeq(list) ? list.items.filter((item) => isMap(item)) : [];
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isPlainObject = (value: unknown): value is Values => isObject(value) && !Array.isArray(value);

/** Texts that would read as references to the environment, written so that they do not. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return escapeEnvironment(value);
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(escaped);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}
