import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Engine } from "./campaign.ts";

/** One rule of the engine switched off by changing one place in its source. The place must be there exactly once. */
export interface Mutant {
  rule: string;
  file: string;
  from: string;
  to: string;
}

export const mutants: readonly Mutant[] = [
  {
    rule: "1 a timer fires strictly before",
    file: "track.ts",
    from: "if (due >= to) return;",
    to: "if (due > to) return;",
  },
  { rule: "1 timers fire before a later input", file: "track.ts", from: "      this.advance(t);\n", to: "" },
  {
    rule: "1 an hour that is not over keeps its timers",
    file: "repair.ts",
    from: "if (watermark < end && next === Number.POSITIVE_INFINITY) break;",
    to: "",
  },
  { rule: "2 dead fields are zero", file: "counter.ts", from: "  s[o + fPendingV] = 0;\n", to: "" },
  {
    rule: "2 no running number in the state",
    file: "state.ts",
    from: "  s[o + fCode] = code;\n",
    to: "  s[o + fCode] = code;\n  s[o]++;\n",
  },
  {
    rule: "3 an increment has a source",
    file: "counter.ts",
    from: "out.increment(gap ? s[o + fLast] : sourceOf(rule, s[o + fLast], t, n), t, n, kind",
    to: "out.increment(t, t, n, kind",
  },
  {
    rule: "4 gaps come first",
    file: "inputs.ts",
    from: "kind <= inputKind.bad ? 1 : 0",
    to: "kind <= inputKind.bad ? 0 : 1",
  },
  {
    rule: "4 ordinals count within an instant",
    file: "binding.ts",
    from: "t === this.lastT && ordinal > this.lastOrdinal",
    to: "t === this.lastT",
  },
  { rule: "4 channels are merged", file: "binding.ts", from: ".sort(inputOrder)", to: "" },
  { rule: "5 a timer emits in the hour of its due time", file: "track.ts", from: "        this.#hour(due);\n", to: "" },
  {
    rule: "5 a reader looks ahead",
    file: "compose.ts",
    from: "const until = to + lookAheadUs(bindings, 0);",
    to: "const until = to;",
  },
  {
    rule: "5 what bridges a silence is found",
    file: "compose.ts",
    from: "if (hour > until && behind) break;",
    to: "if (hour > until) break;",
  },
  {
    rule: "6 dirty until the next transition, gone",
    file: "difference.ts",
    from: "i + 1 < old.n ? old.t[i + 1] : afterOld",
    to: "old.t[i]",
  },
  {
    rule: "6 dirty until the next transition, come",
    file: "difference.ts",
    from: "j + 1 < next.n ? next.t[j + 1] : afterNext",
    to: "next.t[j]",
  },
  {
    rule: "6 a micro stop on both sides",
    file: "dirty.ts",
    from: "from: from - microStopUs, to: to + microStopUs",
    to: "from, to",
  },
  {
    rule: "6 a bridged interval is dirty as a whole",
    file: "dirty.ts",
    from: "ranges.push({ equipment, what, ...spread, cause, lsn });",
    to: "void spread;",
  },
  {
    rule: "6 the live path dirties the past",
    file: "segment.ts",
    from: "Math.min(this.changedState, transitions.t[i])",
    to: "transitions.t[transitions.n - 1] + 1e9",
  },
  {
    rule: "7 a verdict is by the rule at the suspect",
    file: "counter.ts",
    from: "rules.at(s[o + fPendingT]) ?? rule",
    to: "rule",
  },
  {
    rule: "7 a stop ends by the ideal cycle of its pulse",
    file: "pulse.ts",
    from: "Math.max(t - cycleUs, s[o + fLast])",
    to: "Math.max(t - (cycles.at(s[o + fLast]) || rule.idealCycleUs), s[o + fLast])",
  },
  { rule: "7 no convergence before the last dirty input", file: "repair.ts", from: "hour > dirtyTo && ", to: "" },
  {
    rule: "7 a context range is dirty to its end",
    file: "engine.ts",
    from: 'if (from <= binding.lastT) this.#taint(binding, from, to, "idealCycle");',
    to: 'if (from <= binding.lastT) this.#taint(binding, from, from, "idealCycle");',
  },
  {
    rule: "8 what was there before is dirty too",
    file: "difference.ts",
    from: "add(into, old.t[i], i + 1 < old.n",
    to: "add([], old.t[i], i + 1 < old.n",
  },
  {
    rule: "8 counts that are gone are dirty too",
    file: "difference.ts",
    from: 'add(into, old.source[i], old.t[i], "count");',
    to: "",
  },
  {
    rule: "9 never past a proof of life",
    file: "watermark.ts",
    from: "else watermark = Math.min(watermark, proof.lastUs);",
    to: "",
  },
  {
    rule: "9 a gap begins at the proof",
    file: "watermark.ts",
    from: "lost.push(proof);",
    to: "lost.push({ ...proof, lastUs: nowUs });",
  },
  {
    rule: "9 held for a bounded time",
    file: "watermark.ts",
    from: "nowUs - proof.lastUs > policy.heldAtMostUs",
    to: "nowUs === proof.lastUs + policy.heldAtMostUs + 0.5",
  },
  {
    rule: "10 a statement shortens a gap",
    file: "gaps.ts",
    from: ": minus(intervals, [{ from, to }]);",
    to: ": intervals;",
  },
  {
    rule: "10 a retracted gap changes facts",
    file: "gaps.ts",
    from: "minus(before, after)",
    to: "minus(before, before)",
  },
  { rule: "10 what was known then stays known", file: "gaps.ts", from: ".filter(({ lsn }) => lsn <= asOf)", to: "" },
  {
    rule: "11 late is not taken as in order",
    file: "binding.ts",
    from: "t > this.lastT || (t === this.lastT",
    to: "t > 0 || (t === this.lastT",
  },
  {
    rule: "11 behind the watermark is late",
    file: "binding.ts",
    from: "ordinal > this.lastOrdinal)) && t >= this.watermark",
    to: "ordinal > this.lastOrdinal)) && t >= 0",
  },
  { rule: "11 the greatest revision wins", file: "memory-inputs.ts", from: "row.revision < same.revision ||", to: "" },
  {
    rule: "11 a correction is dirty",
    file: "engine.ts",
    from: 'for (const { binding } of this.#targets(tag)) this.#taint(binding, t, t, "corrected");',
    to: "",
  },
  {
    rule: "12 look-ahead of pulses",
    file: "compose.ts",
    from: "microStopUs + statesUs(track, rule)",
    to: "microStopUs + 0",
  },
  {
    rule: "12 look-ahead of the glitch window",
    file: "compose.ts",
    from: "Math.max(rule.glitchWindowUs, rule.sampled ? rule.samplingUs : 0)",
    to: "rule.sampled ? rule.samplingUs : 0",
  },
  {
    rule: "12 look-ahead of sampling",
    file: "compose.ts",
    from: "Math.max(rule.glitchWindowUs, rule.sampled ? rule.samplingUs : 0)",
    to: "rule.glitchWindowUs",
  },
  {
    rule: "12 look-ahead of micro stops",
    file: "compose.ts",
    from: "microStopUs + statesUs(track, rule)",
    to: "statesUs(track, rule)",
  },
  {
    rule: "13 the first sample is a baseline",
    file: "counter.ts",
    from: "out.increment(since, t, 0, incrementFlags.uncertain, 0);",
    to: "",
  },
  {
    rule: "7 a baseline counts from a beginning that is remembered",
    file: "counter.ts",
    from: "const since = (flags & flagSince) !== 0 ? s[o + fLast] : t;",
    to: "const since = (flags & flagSince) !== 0 ? rules.boundaries[0] : t;",
  },
  {
    rule: "13 a re-binding restarts the counter",
    file: "counter.ts",
    from: "if (rule !== null && rules.before(t) !== null) return;",
    to: "return;",
  },
  {
    rule: "pulses: never before the last pulse",
    file: "pulse.ts",
    from: "Math.max(t - cycleUs, s[o + fLast])",
    to: "t - cycleUs",
  },
  {
    rule: "pulses: stopped from the start of the binding",
    file: "pulse.ts",
    from: "  out.transition(t, stopped);\n",
    to: "",
  },
  {
    rule: "pulses: a gap disarms",
    file: "pulse.ts",
    from: "  if (rule === null) return;\n  disarm(s, o, t, out);\n",
    to: "  if (rule === null) return;\n  if (!open) disarm(s, o, t, out);\n",
  },
  {
    rule: "pulses: the end of a gap arms",
    file: "pulse.ts",
    from: "if (open || !(cycleUs > 0)) return;",
    to: "return;",
  },
  {
    rule: "pulses: each tag by its own rule",
    file: "pulse.ts",
    from: "const own = rule.of === null ? rule : rule.of[channel];",
    to: "const own = rule.of?.[channel] === null ? null : rule;",
  },
  {
    rule: "pulses: where edges begin to count, no level is known",
    file: "pulse.ts",
    from: '=== "each") setLevel(s, o, channel, 0);',
    to: '=== "never") setLevel(s, o, channel, 0);',
  },
  {
    rule: "counters: a glitch is judged from the value before",
    file: "counter.ts",
    from: "plausible(verdict, n, t - s[o + fLast])",
    to: "n < 0",
  },
  {
    rule: "counters: a rollover must be plausible",
    file: "counter.ts",
    from: "down && rule.modulus > 0 && plausible(rule, n, t - s[o + fLast])",
    to: "down && rule.modulus > 0",
  },
  { rule: "counters: never negative", file: "counter.ts", from: "return n >= 0 && ", to: "return " },
  {
    rule: "counters: a gap since the suspect",
    file: "counter.ts",
    from: "if ((flags & flagGapSincePending) !== 0) s[o + fFlags] |= flagGapSeen;",
    to: "",
  },
  {
    rule: "counters: a gap makes the place estimated",
    file: "counter.ts",
    from: "rule.sampled || gap ? incrementFlags",
    to: "rule.sampled ? incrementFlags",
  },
  {
    rule: "states: nothing is known after a gap",
    file: "state.ts",
    from: "    s[o + fFlags] = flagGapOpen;\n    s[o + fValue] = 0;\n",
    to: "    s[o + fFlags] |= flagGapOpen;\n",
  },
  {
    rule: "states: what was told within a gap holds from its end on",
    file: "state.ts",
    from: "  s[o + fFlags] &= ~flagGapOpen;\n",
    to: "  s[o + fFlags] = 0;\n",
  },
  {
    rule: "states: bad is unknown",
    file: "state.ts",
    from: "    s[o + fFlags] = gapOpen;\n    turn(s, o, t, 0, out);\n",
    to: "    s[o + fFlags] = gapOpen;\n",
  },
  {
    rule: "states: a table may change at an instant",
    file: "state.ts",
    from: "if ((s[o + fFlags] & (flagHas | flagGapOpen)) !== flagHas) return;",
    to: "return;",
  },
  {
    rule: "names: nothing is known after a gap",
    file: "value.ts",
    from: "    s[o + fValue] = 0;\n",
    to: "",
  },
  {
    rule: "names: what was told within a gap holds from its end on",
    file: "value.ts",
    from: "s[o + fFlags] = open ? flagGapOpen : 0;",
    to: "s[o + fFlags] = open ? flagGapOpen : 0;\n  if (!open) s[o + fValue] = 0;",
  },
  {
    rule: "names: nothing is known within a gap",
    file: "value.ts",
    from: "  if (s[o + fFlags] === flagGapOpen) return;\n",
    to: "",
  },
  {
    rule: "names: bad is unknown",
    file: "value.ts",
    from: "if (s[o + fValue] === value) return;",
    to: "if (s[o + fValue] === value || value === 0) return;",
  },
  {
    rule: "names: another mapping counts from its instant on",
    file: "track.ts",
    from: "    else valueBoundary(this.s, this.o, rule, this.#names, t, this.open);\n",
    to: "",
  },
  {
    rule: "names: another word of the mapping for the same alarm is a change",
    file: "engine.ts",
    from: "if (changes.length > 0) this.#changes.push({ binding, changes, because });",
    to: "void [changes, because];",
  },
  {
    rule: "names: what an alarm says of itself is by the mapping in force",
    file: "names.ts",
    from: "for (const t of boundaries) if (t > from && t < to) instants.add(t);",
    to: "void [boundaries, from, to];",
  },
  {
    rule: "names: no text is taken for unknown",
    file: "texts.ts",
    from: "if (number !== 0 && ",
    to: "if (",
  },
  {
    rule: "names: of several tags the first that knows speaks",
    file: "names.ts",
    from: ".find((code) => code !== 0)",
    to: ".at(0)",
  },
  {
    rule: "conditions: what has no answer says nothing",
    file: "mapping.ts",
    from: "  } catch {\n    return outside;",
    to: "  } catch {\n    return rule.otherwise;",
  },
  {
    rule: "conditions: a text is no number",
    file: "mapping.ts",
    from: "  if (isText(value)) return outside;\n",
    to: "",
  },
  {
    rule: "conditions: rows before the first come first",
    file: "mapping.ts",
    from: "    const code = rule.dense[value];\n    if (code !== outside) return code;",
    to: "    const code = rule.dense[value];\n    if (code !== outside && rule.next === null) return code;",
  },
  {
    rule: "conditions: rows behind one come behind it",
    file: "mapping.ts",
    from: "      if (step.applies(value)) return step.code;\n      const code = inTable(step.table, value);\n      if (code !== outside) return code;\n",
    to: "      const code = inTable(step.table, value);\n      if (code !== outside) return code;\n      if (step.applies(value)) return step.code;\n",
  },
  {
    rule: "joint: what comes at one instant is judged behind all of it",
    file: "joint-state.ts",
    from: "  if (s[at + 1] === 0) s[o + fDue] = t;",
    to: "  if (s[at + 1] === 0) s[o + fDue] = t - 1;",
  },
  {
    rule: "joint: what was told within a gap is judged at its end",
    file: "joint-state.ts",
    from: "  if (open) s[at] = unknownValue;\n  s[o + fDue] = t;",
    to: "  if (open) {\n    s[at] = unknownValue;\n    s[o + fDue] = t;\n  }",
  },
  {
    rule: "joint: nothing is known of a tag after its gap",
    file: "joint-state.ts",
    from: "  if (open) s[at] = unknownValue;\n",
    to: "",
  },
  {
    rule: "joint: nothing is known of a tag within its gap",
    file: "joint-condition.ts",
    from: " && s[at + tagWidth * channel + 1] === 0",
    to: "",
  },
  {
    rule: "joint: a bad sample is unknown",
    file: "joint-state.ts",
    from: "const told = bad ? unknownValue : value;",
    to: "const told = value;",
  },
  {
    rule: "joint: each tag has its own gaps",
    file: "inputs.ts",
    from: 'if (by === "conditions")',
    to: 'if (by === "values")',
  },
  {
    rule: "joint: a tag speaks while it is bound",
    file: "joint-condition.ts",
    from: "of[channel] !== null && ",
    to: "",
  },
  {
    rule: "joint: a tag that begins to be bound speaks from then on",
    file: "track.ts",
    from: 'else if (this.kind === "joint") this.s[this.o + fDue] = t;',
    to: 'else if (this.kind === "joint") void t;',
  },
  {
    rule: "joint: none behind a row that is not known",
    file: "joint-condition.ts",
    from: "return names.some((name) => this.#unknown.has(name)) ? 0 : outside;",
    to: "void names;",
  },
  {
    rule: "4 what lies ahead of the watermark waits for it, after a repair too",
    file: "repair.ts",
    from: "let waits = binding.waits && ",
    to: "let waits = false && ",
  },
  {
    rule: "joint: a boundary at which nothing changes is none",
    file: "mapping.ts",
    from: "if (last?.to === from && last.rule.meaning === meaning) last.to = to;",
    to: "if (last === null) void last;",
  },
  {
    rule: "machines: pulses speak where no state tag is in force",
    file: "compose.ts",
    from: "if (!itemInForce) item = pulse;",
    to: "",
  },
];

const source = join(dirname(fileURLToPath(import.meta.url)), "..");
const contract = new URL("../../../../contract/", import.meta.url);
/** The folders of mutants have no node_modules. */
const cel = createRequire(import.meta.url).resolve("@marcbachmann/cel-js");

/** The engine with a fault planted, loaded beside the product's: its files, stripped of types, in a folder of their own. */
export class Garden {
  readonly #dir = mkdtempSync(join(tmpdir(), "lineshaft-mutants-"));
  readonly #require = createRequire(import.meta.url);
  readonly #texts = new Map<string, string>();
  #planted = 0;

  constructor() {
    for (const file of readdirSync(source))
      if (file.endsWith(".ts") && !file.includes(".test."))
        this.#texts.set(file, readFileSync(join(source, file), "utf8"));
  }

  plant({ rule, file, from, to }: Mutant): Engine {
    const text = this.#texts.get(file) ?? "";
    if (text.split(from).length !== 2)
      throw new Error(`Mutant "${rule}": its place in ${file} is not there exactly once.`);
    const dir = join(this.#dir, String(++this.#planted));
    mkdirSync(dir);
    for (const [name, original] of this.#texts) {
      const code = stripTypeScriptTypes(name === file ? original.replace(from, () => to) : original)
        .replaceAll(/(["'])\.\/([\w-]+)\.ts\1/g, '"./$2.mjs"')
        .replaceAll(/(["'])@marcbachmann\/cel-js\1/g, () => `"${pathToFileURL(cel)}"`)
        .replaceAll(
          /(["'])@lineshaft\/contract\/(api|ports)\1/g,
          (_, __, part) => `"${new URL(`${part}/index.ts`, contract)}"`,
        );
      writeFileSync(join(dir, name.replace(/\.ts$/, ".mjs")), code);
    }
    return this.#require(join(dir, "index.mjs")) as Engine;
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
