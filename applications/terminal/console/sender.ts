import { UnreachableError } from "@lineshaft/client";
import { type BookingCause, type NewBooking, ProblemError } from "@lineshaft/contract/api";
import type { Entries, Entry } from "./entries.ts";

/** The two calls that a sender makes. */
export interface BookingApi {
  book(equipmentId: number, booking: NewBooking): Promise<{ revision: number; cause: BookingCause | null }>;
  takeBack(id: string, revision: number): Promise<void>;
}

export type SenderState = "online" | "offline" | "signedOut";

export interface SenderParts {
  entries: Entries;
  api: BookingApi;
  nowMs(): number;
  /** Resolves after so long, or when `wake` is called. */
  pause(ms: number): Promise<void>;
}

const firstPauseMs = 1000;
const longestPauseMs = 15_000;
const signedOutCodes: readonly string[] = ["auth_missing", "auth_invalid", "key_expired", "key_revoked"];

/**
 * Sends entries one after another in the order of their times, until the server has answered each. No answer, or one that asks to come again: all wait, so that nothing overtakes. A
 * refusal is kept with its entry, and the next goes on.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #listeners = new Set<() => void>();
  #state: SenderState = "online";
  #running: Promise<void> | null = null;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  get state(): SenderState {
    return this.#state;
  }

  observe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends what waits, and returns when nothing does or `signal` ends it. One run at a time. */
  async run(signal: AbortSignal): Promise<void> {
    while (this.#running !== null) await this.#running;
    if (signal.aborted) return;
    // What is sent changes entries, and each change asks to send: the run stands before its first step.
    this.#running = Promise.resolve().then(() => this.#sendAll(signal));
    try {
      await this.#running;
    } finally {
      this.#running = null;
    }
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const [entry] = this.#parts.entries.waiting;
      if (entry === undefined) return;
      const told = await this.#send(entry);
      this.#tell(told);
      if (told === "online") pauseMs = firstPauseMs;
      else {
        await this.#parts.pause(pauseMs);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  }

  async #send(entry: Entry): Promise<SenderState> {
    const { entries, api, nowMs } = this.#parts;
    const { id, equipmentId, atUs, by, intent } = entry;
    try {
      if (entry.state === "waiting") {
        if (!entry.sent) entries.change(id, { sent: true });
        const booking: NewBooking = { id, atUs, ...(by === undefined ? {} : { by }), intent };
        const { revision, cause } = await api.book(equipmentId, booking);
        entries.change(id, { state: "booked", revision, cause, problem: null, answeredMs: nowMs() });
      } else {
        await this.#takeBack(entry);
        entries.forget(id);
      }
      return "online";
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        if (error instanceof UnreachableError) return "offline";
        throw error;
      }
      if (signedOutCodes.includes(error.code)) return "signedOut";
      if (error.retry === "later") return "offline";
      const problem = { code: error.code, detail: error.message };
      if (entry.state === "booked") entries.change(id, { withdrawn: false, problem });
      // Nobody wants it any more, and the server does not have it.
      else if (entries.all.some((each) => each.id === id && each.withdrawn)) entries.forget(id);
      else entries.change(id, { state: "refused", problem, answeredMs: nowMs() });
      return "online";
    }
  }

  /** Changed meanwhile: read again which revision it has, by sending it again, and say the same of that. */
  async #takeBack({ id, equipmentId, atUs, by, intent, revision }: Entry): Promise<void> {
    const { api } = this.#parts;
    try {
      await api.takeBack(id, revision as number);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.code === "not_found") return;
      if (error.code !== "revision_conflict") throw error;
      const booking: NewBooking = { id, atUs, ...(by === undefined ? {} : { by }), intent };
      await api.takeBack(id, (await api.book(equipmentId, booking)).revision);
    }
  }

  #tell(state: SenderState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
