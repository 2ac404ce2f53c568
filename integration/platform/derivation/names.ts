import {
  type AlarmInterval,
  type AlarmTransition,
  alarmMeaning,
  type IdentifierTransition,
  type Micros,
} from "@lineshaft/contract/api";
import type { Binding } from "./binding.ts";
import { type Timeline, timeline } from "./compose.ts";
import { lowerBound } from "./segment.ts";
import type { Texts } from "./texts.ts";
import type { Track } from "./track.ts";

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

/** See `Facts.alarmIntervals`. What follows after `to` is looked for, since somebody wants to know how long it lasted. */
export function alarmIntervals(bindings: readonly Binding[], from: Micros, to: Micros): AlarmInterval[] {
  return bindings.flatMap((binding) => (binding.spec.role === "alarm" ? intervalsOf(binding, from, to) : []));
}

function intervalsOf(binding: Binding, from: Micros, to: Micros): AlarmInterval[] {
  const { track, spec } = binding;
  const line = timeline(binding, from, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  const told = { property: spec.property ?? "", tagId: spec.channels[0].tag };
  return line.t.flatMap((t, i): AlarmInterval[] => {
    const code = textOf(track.texts, line.code[i]);
    if (t >= to || code === null || code === "") return [];
    const { severity, text, cause } = alarmMeaning(track.rules.at(t)?.alarm ?? {}, code);
    const sinceUs = t > from ? t : lastTransition(track, from);
    return [{ ...told, code, severity, text, cause, sinceUs, untilUs: line.t[i + 1] ?? null }];
  });
}

/** When that began which holds at `t`; null: before what is kept. */
function lastTransition({ segments, open }: Track, t: Micros): Micros | null {
  for (const { transitions } of [...segments, open].reverse()) {
    if (transitions === null) continue;
    const behind = lowerBound(transitions.t, transitions.n, t + 1);
    if (behind > 0) return transitions.t[behind - 1];
  }
  return null;
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
