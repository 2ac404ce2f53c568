import { type AlarmTransition, alarmMeaning, type IdentifierTransition, type Micros } from "@lineshaft/contract/api";
import type { Binding } from "./binding.ts";
import { type Timeline, timeline } from "./compose.ts";
import type { Texts } from "./texts.ts";

/** What the identifier tags of a machine name over [from, to); see `Facts.identifiers`. */
export function identifierTransitions(bindings: readonly Binding[], from: Micros, to: Micros): IdentifierTransition[] {
  const own = bindings.filter(({ spec }) => spec.role === "identifier");
  const byProperty = Map.groupBy(own, ({ spec }) => spec.property ?? "");
  const all = [...byProperty].flatMap(([property, tags]) => identifierOf(property, tags, from, to));
  return all.sort((a, b) => a.t - b.t);
}

function identifierOf(property: string, tags: readonly Binding[], from: Micros, to: Micros): IdentifierTransition[] {
  const lines = tags.map((binding) => timeline(binding, from, to, to));
  const result: IdentifierTransition[] = [];
  for (const t of instantsOf(lines)) {
    const key = lines.map((line) => codeAt(line, t)).find((code) => code !== 0) ?? 0;
    const value = textOf(tags[0].track.texts, key);
    if (result.length === 0 || result.at(-1)?.value !== value) result.push({ property, t, value });
  }
  return result;
}

/** What the alarm tags of a machine tell over [from, to), each by itself; see `Facts.alarms`. What an alarm says of itself is by the mapping that is in force then. */
export function alarmTransitions(bindings: readonly Binding[], from: Micros, to: Micros): AlarmTransition[] {
  const own = bindings.filter(({ spec }) => spec.role === "alarm");
  return own.flatMap((binding) => alarmOf(binding, from, to)).sort((a, b) => a.t - b.t);
}

function alarmOf(binding: Binding, from: Micros, to: Micros): AlarmTransition[] {
  const { track, spec } = binding;
  const line = timeline(binding, from, to, to);
  const told = { property: spec.property ?? "", tagId: spec.channels[0].tag };
  const quiet = { code: null, severity: null, text: null, cause: 0 };
  const result: AlarmTransition[] = [];
  let before = "";
  for (const t of instantsOf([line], track.rules.boundaries, from, to)) {
    const code = textOf(track.texts, codeAt(line, t));
    const active = code === null ? null : code !== "";
    const meaning = code === null || !active ? quiet : { code, ...alarmMeaning(track.rules.at(t)?.alarm ?? {}, code) };
    const says = JSON.stringify([active, meaning]);
    if (says !== before) result.push({ ...told, t, active, ...meaning });
    before = says;
  }
  return result;
}

/** Instants at which one of the lines may tell something else, ascending; the first is where they begin. */
function instantsOf(
  lines: readonly Timeline[],
  boundaries: Iterable<Micros> = [],
  from = Number.POSITIVE_INFINITY,
  to = Number.NEGATIVE_INFINITY,
): Micros[] {
  const instants = new Set(lines.flatMap(({ t }) => t));
  for (const t of boundaries) if (t > from && t < to) instants.add(t);
  return [...instants].sort((a, b) => a - b);
}

function codeAt({ t, code }: Timeline, at: Micros): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (t[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return code[low - 1] ?? 0;
}

const textOf = (texts: Texts, key: number): string | null => (key === 0 ? null : texts.textOf(key));
