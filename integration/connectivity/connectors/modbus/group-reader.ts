import type { StatusCode } from "@lineshaft/contract/api";
import type { Clock } from "@lineshaft/contract/ports";
import { orAborted } from "../../kit/poller.ts";
import type { Table, Target } from "./address.ts";
import { decode, type Slot, slotOf } from "./decode.ts";
import {
  type Block,
  type PlanLimits,
  planBlocks,
  type Span,
  spanKey,
  type TableKnowledge,
  uniqueSpans,
} from "./plan.ts";
import type { PollRows } from "./rows.ts";
import type { Answer, ModbusSession } from "./session.ts";
import { status, statusOfException } from "./status.ts";
import type { Units } from "./units.ts";

/** A single value that the device refuses is asked for again after this long. */
const refusedRetryMs = 60_000;
const illegalDataAddress = 2;
const illegalDataValue = 3;

interface PlannedBlock extends Block {
  slots: Slot[];
}

/** The spans of one table of one unit, and the reads that fetch them. */
interface Section {
  unit: number;
  table: Table;
  spans: Span[];
  knowledge: TableKnowledge;
  /** Of the knowledge that the reads were planned with. */
  version: number;
  blocks: PlannedBlock[];
  /** Spans that the device refuses even alone, and when they are tried again. */
  refused: Map<number, { untilMs: number; code: StatusCode }>;
}

export interface GroupReaderOptions {
  targets: readonly Target[];
  rows: PollRows;
  session: Pick<ModbusSession, "read">;
  units: Units;
  knowledge(unit: number, table: Table): TableKnowledge;
  limits(table: Table): PlanLimits;
  inFlight: number;
  clock: Clock;
  /** Told about values that the device refuses even alone (with the exception), and that answer again (null). */
  onRefused(tag: number, exception: number | null): void;
}

/** Reads the tags of one group: all their blocks, a few at a time, and what comes back into rows. Tags are the indexes of `targets`. */
export class GroupReader {
  readonly #options: GroupReaderOptions;
  readonly #sections: Section[];

  constructor(options: GroupReaderOptions) {
    this.#options = options;
    const sections = new Map<string, Section>();
    for (const [tag, { unit, table, start, count }] of options.targets.entries()) {
      const key = `${unit}/${table}`;
      const knowledge = options.knowledge(unit, table);
      const fresh: Section = { unit, table, knowledge, spans: [], version: -1, blocks: [], refused: new Map() };
      const section = sections.get(key) ?? fresh;
      section.spans.push({ start, count, tags: [tag] });
      sections.set(key, section);
    }
    this.#sections = [...sections.values()];
    for (const section of this.#sections) {
      section.spans = uniqueSpans(section.spans);
      this.#plan(section);
    }
  }

  /** The reads of one poll, for diagnosis. */
  plan(): { reads: number; addresses: number; refused: number } {
    const blocks = this.#sections.flatMap((section) => section.blocks);
    const addresses = blocks.reduce((sum, { count }) => sum + count, 0);
    const refused = this.#sections.reduce((sum, section) => sum + section.refused.size, 0);
    return { reads: blocks.length, addresses, refused };
  }

  /** One poll into `rows`. Throws when the connection ends, or with the signal's reason. */
  async poll(signal: AbortSignal): Promise<void> {
    const { rows, clock, inFlight } = this.#options;
    rows.begin(clock.monotonicMs());
    const work: { section: Section; block: PlannedBlock }[] = [];
    for (const section of this.#sections) {
      if (section.version !== section.knowledge.version) this.#plan(section);
      for (const block of section.blocks) work.push({ section, block });
    }
    const silent = new Set<number>();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < work.length) {
        const { section, block } = work[next++];
        await this.#fetch(section, block, silent, signal);
      }
    };
    if (inFlight === 1) await lane();
    else await Promise.all(Array.from({ length: Math.min(inFlight, work.length) }, lane));
  }

  #plan(section: Section): void {
    const { spans, table, knowledge } = section;
    section.version = knowledge.version;
    section.blocks = planBlocks(spans, this.#options.limits(table), knowledge).map((block) => this.#withSlots(block));
  }

  #withSlots(block: Block): PlannedBlock {
    const { targets } = this.#options;
    const slots = block.spans.flatMap(({ tags }) => tags.map((tag) => slotOf(targets[tag], tag, block.start)));
    return { ...block, slots };
  }

  /** One read; a refused one is parted and its parts are read. */
  async #fetch(section: Section, block: PlannedBlock, silent: Set<number>, signal: AbortSignal): Promise<void> {
    const { session, rows, units, clock } = this.#options;
    const { unit, table, refused } = section;
    const single = block.spans.length === 1 ? spanKey(block.spans[0]) : null;
    const known = single === null ? undefined : refused.get(single);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return this.#spoil(block, known.code);
    // A unit that has just let a request time out is not asked again in this poll: each one would cost the others its time.
    if (silent.has(unit) || units.isPaused(unit)) return this.#spoil(block, status.badTimeout);
    const answer = await orAborted(session.read(unit, table, block.start, block.count), signal);
    units.note(unit, answer.kind);
    if (answer.kind === "data") {
      if (known !== undefined) this.#readable(section, single!, block);
      decode(block.slots, answer.bytes, rows);
    } else if (isRefusal(answer) && section.knowledge.split(block)) {
      for (const part of planBlocks(block.spans, this.#options.limits(table), section.knowledge))
        await this.#fetch(section, this.#withSlots(part), silent, signal);
    } else {
      if (answer.kind === "timeout") silent.add(unit);
      if (isRefusal(answer) && single !== null) this.#refuse(section, single, block, answer.code);
      this.#spoil(block, statusOf(answer));
    }
  }

  #refuse(section: Section, key: number, block: PlannedBlock, exception: number): void {
    const { clock, onRefused } = this.#options;
    section.refused.set(key, { untilMs: clock.monotonicMs() + refusedRetryMs, code: statusOfException(exception) });
    for (const { tag } of block.slots) onRefused(tag, exception);
  }

  /** What was refused is there: the device was reconfigured, so its neighbours are tried together again. */
  #readable(section: Section, key: number, block: PlannedBlock): void {
    section.refused.delete(key);
    section.knowledge.forgetCuts();
    for (const { tag } of block.slots) this.#options.onRefused(tag, null);
  }

  #spoil(block: PlannedBlock, code: StatusCode): void {
    for (const { tag } of block.slots) this.#options.rows.bad(tag, code);
  }
}

type Refusal = { kind: "exception"; code: number };

/** Would a smaller read perhaps be answered? Exception 3 is what some devices say to a read that is too long for them. */
function isRefusal(answer: Answer): answer is Refusal {
  return answer.kind === "exception" && (answer.code === illegalDataAddress || answer.code === illegalDataValue);
}

function statusOf(answer: Answer): StatusCode {
  if (answer.kind === "exception") return statusOfException(answer.code);
  return answer.kind === "timeout" ? status.badTimeout : status.badCommunicationError;
}
