import { type Columns, type Micros, ProblemError, qualityOf, valueAt, valueTypeCode } from "@lineshaft/contract/api";
import type { History } from "@lineshaft/contract/ports";
import type { BindingSpec } from "./binding.ts";
import { type Input, inputColumns, inputKind, inputOrder } from "./inputs.ts";
import { textKey } from "./mapping.ts";
import type { RepairInputs, RepairRequest } from "./repair.ts";
import { type Texts, textAt } from "./texts.ts";

/** What is read of history here. */
export type RecordedPoints = Pick<History, "status" | "raw">;

/** Later than any point. */
const ever = Number.MAX_SAFE_INTEGER;
/** Rows asked for at once: few for a late point, many for months, and no more than are turned into inputs in some milliseconds. */
const pageRowsMin = 2_000;
const pageRowsMax = 25_000;

/** What a repair reads of one binding, out of history, page by page and forwards. */
export class HistoryInputs {
  readonly #tags: TagReader[];
  readonly #gaps: readonly Input[];

  /** `texts`: where inputs are keys of texts; null: they are not. */
  constructor(
    history: Pick<RecordedPoints, "raw">,
    spec: BindingSpec,
    gaps: readonly Input[],
    texts: Texts | null = null,
  ) {
    this.#tags = spec.channels.map(({ tag }, channel) => new TagReader(history, tag, channel, texts));
    this.#gaps = gaps;
  }

  async answer({ from, to }: RepairRequest): Promise<RepairInputs> {
    const inputs: Input[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const tag of this.#tags) {
      for (const input of await tag.read(from, to)) inputs.push(input);
      next = Math.min(next, await tag.next());
    }
    inputs.push(...this.#gaps.filter(({ t }) => t >= from && t < to));
    for (const { t } of this.#gaps) if (t >= to) next = Math.min(next, t);
    return { inputs: inputColumns(inputs.sort(inputOrder)), next };
  }
}

/** The rows of one tag from some instant on, as far as they were asked for; it is read forwards, so each row is looked at once. */
class TagReader {
  readonly #history: Pick<RecordedPoints, "raw">;
  readonly #tag: number;
  readonly #channel: number;
  readonly #texts: Texts | null;
  #rows: Input[] = [];
  /** What lies before it was read. */
  #head = 0;
  #from: Micros | null = null;
  /** All rows before this are in `#rows`. */
  #until: Micros = Number.NEGATIVE_INFINITY;
  #pageRows = pageRowsMin;

  constructor(history: Pick<RecordedPoints, "raw">, tag: number, channel: number, texts: Texts | null) {
    this.#history = history;
    this.#tag = tag;
    this.#channel = channel;
    this.#texts = texts;
  }

  async read(from: Micros, to: Micros): Promise<Input[]> {
    if (this.#from === null) this.#until = this.#from = from;
    this.#skip(from);
    while (this.#until < to) await this.#page();
    this.#skip(from);
    const begin = this.#head;
    this.#skip(to);
    return this.#rows.slice(begin, this.#head);
  }

  /** Time of the first row behind what was read. */
  async next(): Promise<Micros> {
    for (;;) {
      if (this.#head < this.#rows.length) return this.#rows[this.#head].t;
      if (this.#until >= ever) return Number.POSITIVE_INFINITY;
      await this.#page();
    }
  }

  #skip(to: Micros): void {
    while (this.#head < this.#rows.length && this.#rows[this.#head].t < to) this.#head++;
  }

  async #page(): Promise<void> {
    const { columns, more } = await this.#raw();
    this.#pageRows = Math.min(pageRowsMax, 4 * this.#pageRows);
    const { rows, time } = columns;
    if (this.#head > 0) this.#rows.splice(0, this.#head);
    this.#head = 0;
    // Of the last instant there may be more, so it is read with the next page; a page of one instant is read again, larger.
    const until = more ? time[rows - 1] : ever;
    for (let i = 0; i < rows; i++)
      if (time[i] < until) this.#rows.push(inputOf(columns, i, this.#channel, this.#texts));
    this.#until = until;
  }

  /** Nobody waits for a repair as for an answer: where history is so busy that it gives a query up, a small page is asked for again. */
  async #raw(): ReturnType<RecordedPoints["raw"]> {
    for (;;) {
      const query = { tags: [this.#tag], fromUs: this.#until, toUs: ever, limit: this.#pageRows };
      try {
        return await this.#history.raw(query);
      } catch (error) {
        if (!(error instanceof ProblemError && error.code === "query_timeout")) throw error;
        this.#pageRows = pageRowsMin;
      }
    }
  }
}

function inputOf(columns: Columns, i: number, channel: number, texts: Texts | null): Input {
  const { status, type, ordinal, time } = columns;
  const text = type !== null && type[i] === valueTypeCode.string;
  const bad = (status !== null && qualityOf(status[i]) === "bad") || (!text && !Number.isFinite(columns.value[i]));
  return {
    t: time[i],
    value: bad ? 0 : (texts?.keyOf(textAt(columns, i)) ?? numberAt(columns, i, text)),
    kind: bad ? inputKind.bad : inputKind.point,
    channel,
    ordinal: ordinal === null ? 0 : ordinal[i],
  };
}

const numberAt = (columns: Columns, i: number, text: boolean): number =>
  text ? textKey(valueAt(columns, i) as string) : columns.value[i] + 0;
