import type { NamedColumns } from "@lineshaft/client";
import { type Columns, formatTimeUs, type Micros, minuteUs, ProblemError, secondUs } from "@lineshaft/contract/api";
import type { Signal } from "./plant/index.ts";
import type { PlayedLine } from "./plant/part-of-line.ts";
import type { Waiting } from "./protocols/end.ts";

/** The time that the plant's controllers show, and how a plant that lives faster maps to it. */
export interface PlantClock {
  /** Model time now. */
  nowUs(): Micros;
  /** Source time on the wire for a model time. */
  stampUs(modelUs: Micros): Micros;
}

/** One connection of the platform, as the SDK gives it. */
export interface Uplink {
  readonly connection: string;
  /** The cursor of the last durable batch; null: there is none. */
  cursor(): Promise<string | null>;
  /** Resolves when the batch is durable. Repeats it by itself, under the same sequence number, while the platform is away. */
  write(batch: NamedColumns, cursor: string): Promise<unknown>;
}

export interface SourceOptions {
  uplink: Uplink;
  clock: PlantClock;
  waiting: Waiting;
  /** The line as it goes on from an instant of model time. */
  lineAt(fromUs: Micros): PlayedLine;
  /** What is wrong with the values on their way. */
  disturb?(columns: Columns, signals: readonly Signal[]): Columns;
  /** Model time per true time. */
  speed: number;
  /** How far back the plant remembers: on an empty platform this much is sent first, and after an outage no more than this. */
  historyUs: Micros;
  say(text: string): void;
}

/** New rows are sent this often, in true time. */
const sendEveryUs = secondUs / 2;
/** Catching up goes in steps of this much model time: about 2,000 rows. */
const stepUs = minuteUs;
/** After this long without an answer people are told. */
const patienceMs = 5_000;
/** A refusal that only a person can mend is tried again this often. */
const refusedMs = 10_000;

/**
 * Sends one line to the platform, for ever: one batch at a time, the next only after the platform has it durably. Nothing but that batch needs to be kept
 * through an outage: the plant can be played again from where the last durable one ended, as far back as `historyUs`.
 */
export class Source {
  readonly sums = { sent: 0, refused: 0 };
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /** Resolves when `signal` is aborted and the batch in hand is settled or given up. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, waiting, historyUs, speed, say, uplink } = this.#options;
    const periodUs = sendEveryUs * speed;
    let untilUs = await this.#resumeFrom(signal);
    let line = this.#options.lineAt(untilUs);
    while (!signal.aborted) {
      const now = clock.nowUs();
      if (now - untilUs > historyUs + 10 * stepUs) {
        say(`${uplink.connection}: away too long; rows before ${formatTimeUs(now - historyUs)} are lost.`);
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
    const { uplink, clock, historyUs } = this.#options;
    const cursor = await this.#untilAnswered(() => uplink.cursor(), signal);
    const last = cursor === null ? Number.NaN : Number(cursor);
    const now = clock.nowUs();
    return Number.isFinite(last) && last <= now ? Math.max(last, now - historyUs) : now - historyUs;
  }

  async #send(line: PlayedLine, untilUs: Micros, signal: AbortSignal): Promise<void> {
    const { uplink, clock, disturb } = this.#options;
    const played = line.advance(untilUs);
    if (played.rows === 0) return;
    for (let i = 0; i < played.rows; i++) played.time[i] = clock.stampUs(played.time[i]);
    const columns = disturb?.(played, line.signals) ?? played;
    const names = line.signals.map(({ address }) => address);
    const written = await this.#untilAnswered(async () => {
      await uplink.write({ names, columns }, String(untilUs));
      return true;
    }, signal);
    if (written) this.sums.sent += columns.rows;
    else this.sums.refused += columns.rows;
  }

  /** The answer; null when the platform will never give one, or when we are stopping. Trouble is told once, and its end. */
  async #untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    const { waiting, uplink, say } = this.#options;
    let told = "";
    const tell = (text: string): void => {
      if (text !== told && !signal.aborted) say(`${uplink.connection}: ${text}`);
      told = text;
    };
    while (!signal.aborted) {
      const alarm = waiting.alarm(patienceMs, () => tell("the platform does not answer; trying on."));
      try {
        const answer = await ask();
        if (told !== "") tell("the platform is back.");
        return answer;
      } catch (error) {
        if (signal.aborted) return null;
        if (!(error instanceof ProblemError)) {
          // No answer at all; the SDK repeats batches by itself, other calls we do.
          tell("the platform does not answer; trying on.");
          await waiting.sleep(500, signal);
          continue;
        }
        const { status, action } = error.toProblem();
        tell(`${error.message} ${action}`);
        const credential = status === 401 || status === 403;
        if (!credential && error.retry !== "later") return null;
        await waiting.sleep(refusedMs, signal);
      } finally {
        alarm.cancel();
      }
    }
    return null;
  }
}
