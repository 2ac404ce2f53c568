import { encodeColumns, formatTimeUs, type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import { backOffMs, type Waiting } from "./back-off.ts";
import type { PlantLine } from "./plant/index.ts";
import { type Platform, PlatformError } from "./platform.ts";

/** The time that the plant's controllers show, and how a plant that lives faster maps to it. */
export interface PlantClock {
  /** Model time now. */
  nowUs(): Micros;
  /** Source time on the wire for a model time. */
  stampUs(modelUs: Micros): Micros;
}

export interface SourceOptions {
  platform: Platform;
  clock: PlantClock;
  waiting: Waiting;
  /** A line as it goes on from an instant of model time. */
  lineAt(fromUs: Micros): PlantLine;
  connection: string;
  /** Number of this run; larger than that of any run before. */
  generation: number;
  /** Model time per true time. */
  speed: number;
  /** How far back the plant remembers: on an empty platform this much is sent first, and after an outage no more than this. */
  historyUs: Micros;
  say(text: string): void;
}

export interface SourceSums {
  sent: number;
  refused: number;
  /** Batches that needed more than one attempt. */
  retried: number;
}

/** New rows are sent this often, in true time. */
const sendEveryUs = secondUs / 2;
/** Catching up goes in steps of this much model time: about 2,000 rows. */
const stepUs = minuteUs;

/**
 * Sends one line to the platform, for ever: one batch at a time, the next only after the platform has it durably. A batch without an answer is
 * sent again, the same rows under the same (generation, sequence), so that the platform knows it. Nothing more needs to be kept meanwhile: the plant can be
 * played again from where the last durable batch ended, as far back as `historyUs`.
 */
export class Source {
  readonly sums: SourceSums = { sent: 0, refused: 0, retried: 0 };
  readonly #options: SourceOptions;
  #sequence = 0;
  #trouble = "";

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Resolves when `signal` is aborted and the batch in hand is settled or given up. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, waiting, historyUs, speed, say, connection } = this.#options;
    const periodUs = sendEveryUs * speed;
    let untilUs = await this.#resumeFrom(signal);
    let line = this.#options.lineAt(untilUs);
    while (!signal.aborted) {
      const now = clock.nowUs();
      if (now - untilUs > historyUs + 10 * stepUs) {
        say(`${connection}: away too long; rows before ${formatTimeUs(now - historyUs)} are lost.`);
        untilUs = now - historyUs;
        line = this.#options.lineAt(untilUs);
      }
      if (now - untilUs < periodUs) {
        await waiting.sleep((periodUs - (now - untilUs)) / 1000 / speed, signal);
        continue;
      }
      untilUs = Math.min(now, untilUs + Math.max(stepUs, periodUs));
      await this.#send(line, untilUs, signal);
    }
  }

  /** Where the last run ended, as the platform remembers it; on an empty platform the beginning of the history. */
  async #resumeFrom(signal: AbortSignal): Promise<Micros> {
    const { platform, clock, connection, historyUs } = this.#options;
    const oldest = clock.nowUs() - historyUs;
    const cursor = await this.#untilAnswered(
      () => platform.call("getSourceCursor", { params: { connection } }, signal),
      signal,
    );
    const last = Number(cursor?.sourceCursor ?? Number.NaN);
    return Number.isFinite(last) && last <= clock.nowUs() ? Math.max(last, oldest) : oldest;
  }

  async #send(line: PlantLine, untilUs: Micros, signal: AbortSignal): Promise<void> {
    const { platform, clock, connection, generation } = this.#options;
    const columns = line.advance(untilUs);
    if (columns.rows === 0) return;
    for (let i = 0; i < columns.rows; i++) columns.time[i] = clock.stampUs(columns.time[i]);
    const frame = encodeColumns(
      columns,
      line.signals.map(({ address }) => address),
    );
    const sequence = ++this.#sequence;
    const query = { generation, sequence, sourceCursor: String(untilUs) };
    const receipt = await this.#untilAnswered(() => platform.ingest(connection, frame, query, signal), signal);
    if (receipt) this.sums.sent += columns.rows;
    else this.sums.refused += columns.rows;
  }

  /** The answer; null when the platform will never take it, or when we are stopping. */
  async #untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    const { waiting, connection, say } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const answer = await ask();
        if (this.#trouble !== "") say(`${connection}: the platform is back.`);
        this.#trouble = "";
        if (attempt > 0) this.sums.retried++;
        return answer;
      } catch (error) {
        if (signal.aborted) return null;
        if (!(error instanceof PlatformError)) throw error;
        // Said once, not with each attempt.
        if (error.code !== this.#trouble && error.code !== "not_found") say(`${connection}: ${error.message}`);
        this.#trouble = error.code === "not_found" ? "" : error.code;
        if (error.retry === "never") return null;
        await waiting.sleep(error.retry === "credential" ? 10_000 : backOffMs(attempt, waiting.random()), signal);
      }
    }
    return null;
  }
}
