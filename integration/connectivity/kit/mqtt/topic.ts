// Hot path: one match per published message. Topic names and filters (MQTT 3.1.1 and 5, 4.7), and the tree that finds who wants a topic.

/** Bounds of a topic here (FAULTS 2.4); the standard alone would allow 65,535 bytes and as many levels. */
export const topicLimits = { levels: 12, chars: 1024 } as const;

export function topicLevels(topic: string): number {
  let levels = 1;
  for (let i = 0; i < topic.length; i++) if (topic.charCodeAt(i) === 47) levels++;
  return levels;
}

/** Why a name cannot be published to, or null. */
export function topicNameFault(topic: string): string | null {
  if (topic.length === 0) return "the topic is empty";
  if (topic.length > topicLimits.chars) return `the topic has more than ${topicLimits.chars} characters`;
  if (topicLevels(topic) > topicLimits.levels) return `the topic has more than ${topicLimits.levels} levels`;
  // 4.7.1: wildcards are for filters only; 1.5.4: U+0000 never.
  if (/[+#\0]/.test(topic)) return "the topic holds a wildcard or NUL";
  return null;
}

/** Why a filter cannot be subscribed to, or null. */
export function topicFilterFault(filter: string): string | null {
  if (filter.length === 0) return "the filter is empty";
  if (filter.length > topicLimits.chars) return `the filter has more than ${topicLimits.chars} characters`;
  const levels = filter.split("/");
  if (levels.length > topicLimits.levels) return `the filter has more than ${topicLimits.levels} levels`;
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    if (level.includes("\0")) return "the filter holds NUL";
    if (level === "#" && i === levels.length - 1) continue;
    if (level !== "+" && /[+#]/.test(level)) return "a wildcard must be a whole level, and # the last one";
  }
  return null;
}

/** Does the filter match the name? `#` and `+` in the first level do not match names that begin with `$` (4.7.2). */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === 36 && filter.charCodeAt(0) !== 36) return false;
  const want = filter.split("/");
  const have = topic.split("/");
  for (let i = 0; i < want.length; i++) {
    // `a/#` matches `a` too.
    if (want[i] === "#") return true;
    if (i >= have.length) return false;
    if (want[i] !== "+" && want[i] !== have[i]) return false;
  }
  return want.length === have.length;
}

/** Is everything that `wanted` matches matched by `granted` as well? */
export function filterCovers(granted: string, wanted: string): boolean {
  if (wanted.charCodeAt(0) === 36 && granted.charCodeAt(0) !== 36) return false;
  const have = granted.split("/");
  const want = wanted.split("/");
  for (let i = 0; i < have.length; i++) {
    if (have[i] === "#") return true;
    if (i >= want.length || want[i] === "#") return false;
    if (have[i] !== "+" && have[i] !== want[i]) return false;
  }
  return have.length === want.length;
}

interface Node<T> {
  children: Map<string, Node<T>>;
  values: T[];
}

/** Values by topic filter. `match` costs what the topic's levels cost, not the number of filters. */
export class TopicTree<T> {
  readonly #root: Node<T> = { children: new Map(), values: [] };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(filter: string, value: T): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      let next = node.children.get(level);
      if (next === undefined) {
        next = { children: new Map(), values: [] };
        node.children.set(level, next);
      }
      node = next;
    }
    node.values.push(value);
    this.#size++;
  }

  remove(filter: string, same: (value: T) => boolean): void {
    const path: { node: Node<T>; level: string }[] = [];
    let node = this.#root;
    for (const level of filter.split("/")) {
      const next = node.children.get(level);
      if (next === undefined) return;
      path.push({ node, level });
      node = next;
    }
    const before = node.values.length;
    node.values = node.values.filter((value) => !same(value));
    this.#size -= before - node.values.length;
    // Empty branches go, so that subscriptions that come and go leave nothing behind.
    for (let i = path.length - 1; i >= 0; i--) {
      const child = path[i].node.children.get(path[i].level)!;
      if (child.values.length > 0 || child.children.size > 0) return;
      path[i].node.children.delete(path[i].level);
    }
  }

  match(topic: string): T[] {
    const found: T[] = [];
    if (this.#size > 0) collect(this.#root, topic, 0, topic.charCodeAt(0) === 36, found);
    return found;
  }
}

function collect<T>(node: Node<T>, topic: string, start: number, reserved: boolean, found: T[]): void {
  const wild = !(reserved && start === 0);
  const rest = wild ? node.children.get("#") : undefined;
  if (rest !== undefined) for (const value of rest.values) found.push(value);
  if (start > topic.length) {
    for (const value of node.values) found.push(value);
    return;
  }
  const slash = topic.indexOf("/", start);
  const end = slash === -1 ? topic.length : slash;
  const exact = node.children.get(topic.slice(start, end));
  if (exact !== undefined) collect(exact, topic, end + 1, reserved, found);
  const one = wild ? node.children.get("+") : undefined;
  if (one !== undefined) collect(one, topic, end + 1, reserved, found);
}
