import { ProblemError } from "@lineshaft/contract/api";
import {
  type Clock,
  decodeJson,
  type Frame,
  type Ledger,
  type Log,
  type LogReader,
  type Lsn,
  type Registration,
  type Registry,
  type RegistryChangedRecord,
  recordType,
  type TagRegisteredRecord,
} from "@lineshaft/contract/ports";
import { othersServed } from "@lineshaft/platform/registry";

/** As much of the log as is applied at once, unless a view says otherwise. */
const portionBytes = 8 * 1024 * 1024;

/** New names are taken in for so long at a time, and those who wait are served in between. */
const registerMs = 5;

/** How often what found no space on the disk is tried again. */
const fullRetryMs = 1000;
const isFull = (error: unknown): boolean => error instanceof ProblemError && error.code === "disk_full";

/**
 * One reader that follows the log until it is stopped; `apply` sees every committed frame in order and may ask for a pause. On a full disk it sees
 * the same frames again until there is space, so it must be able to take them twice.
 */
export class LogConsumer {
  #reader: LogReader;
  #stop = new AbortController();
  #running: Promise<void> | null = null;
  #applied: Lsn;
  #waiting: { lsn: Lsn; resolve: () => void; reject: (error: unknown) => void }[] = [];
  readonly #apply: (frames: Frame[]) => Promise<void> | undefined;
  readonly #clock: Clock;
  readonly #ready: ((frames: Frame[]) => Promise<void>) | null;
  readonly #portionBytes: number;
  /** Read but not applied yet: the disk was full. */
  #held: Frame[] | null = null;

  /** `ready`: waited for before each portion; on a full disk it sees the same frames again, too. */
  constructor(
    log: Log,
    clock: Clock,
    from: Lsn,
    apply: (frames: Frame[]) => Promise<void> | undefined,
    ready: ((frames: Frame[]) => Promise<void>) | null = null,
    bytes = portionBytes,
  ) {
    this.#clock = clock;
    this.#ready = ready;
    this.#portionBytes = bytes;
    this.#reader = log.reader(from);
    this.#applied = from - 1;
    this.#apply = apply;
  }

  get applied(): Lsn {
    return this.#applied;
  }

  /** Everything that is durable now, before the server opens its doors; on a full disk only as far as it goes. */
  async catchUp(log: Log): Promise<void> {
    const end = log.status.durableLsn;
    try {
      while (this.#applied < end) await this.#step();
    } catch (error) {
      if (!isFull(error)) throw error;
    }
  }

  run(onError: (error: unknown) => void): void {
    this.#running = (async () => {
      while (!this.#stop.signal.aborted) {
        try {
          await this.#step();
        } catch (error) {
          if (!isFull(error)) throw error;
          await this.#clock.sleep(fullRetryMs, this.#stop.signal);
        }
      }
    })().catch((error: unknown) => {
      for (const w of this.#waiting) w.reject(error);
      this.#waiting = [];
      if (!this.#stop.signal.aborted) onError(error);
    });
  }

  /** Resolves when everything up to `lsn` is applied. */
  until(lsn: Lsn): Promise<void> {
    if (lsn <= this.#applied) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ lsn, resolve, reject }));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("The consumer is stopping."));
    await this.#running;
    this.#reader.close();
  }

  async #step(): Promise<void> {
    this.#held ??= await this.#reader.next(this.#portionBytes, this.#stop.signal);
    const frames = this.#held;
    await this.#ready?.(frames);
    const pause = this.#apply(frames);
    this.#held = null;
    this.#applied = frames[frames.length - 1].lsn;
    const due = this.#waiting.filter((w) => w.lsn <= this.#applied);
    if (due.length > 0) this.#waiting = this.#waiting.filter((w) => w.lsn > this.#applied);
    for (const w of due) w.resolve();
    await pause;
  }
}

/** Names into the registry, refusals and gaps into the ledger: one pass over the log for both, gathered to spare syncs. */
export function registryConsumer(
  parts: { log: Log; registry: Registry; ledger: Ledger; clock: Clock },
  onChange: (tenant: number, record: RegistryChangedRecord) => void,
): LogConsumer {
  const { log, registry, ledger, clock } = parts;
  const gatherMs = 50;
  const from = Math.min(registry.appliedLsn, ledger.appliedLsn) + 1;
  const newest = Math.max(registry.appliedLsn, ledger.appliedLsn);
  if (newest > log.status.durableLsn) {
    const detail = `The registry has seen record ${newest}, but the log ends at ${log.status.durableLsn}: the log was removed or replaced.`;
    throw new ProblemError("data_dir_mixed", detail);
  }
  log.pin("registry", Math.min(registry.appliedLsn, ledger.syncedLsn) + 1);
  const registrationsOf = (frames: readonly Frame[]): Registration[] =>
    frames
      .filter((frame) => frame.type === recordType.tagRegistered && frame.lsn > registry.appliedLsn)
      .map(({ lsn, recordedTime, tenant, payload }) => ({
        lsn,
        recordedTime,
        tenant,
        record: decodeJson<TagRegisteredRecord>(payload),
      }));
  let gather = false;
  // F24: thousands of new names at once must not hold up those who only send values.
  const register = async (frames: Frame[]): Promise<void> => {
    const registrations = registrationsOf(frames);
    gather = registrations.length > 0;
    const some = () => registry.settled(() => registry.applyRegistrations(registrations, registerMs));
    while (!(await some())) await othersServed();
  };
  const apply = (frames: Frame[]): Promise<void> | undefined => {
    for (const frame of frames) {
      if (frame.type === recordType.registryChanged)
        onChange(frame.tenant, decodeJson<RegistryChangedRecord>(frame.payload));
    }
    registry.advance(frames[frames.length - 1].lsn);
    ledger.apply(frames.filter((frame) => frame.lsn > ledger.appliedLsn));
    log.pin("registry", Math.min(registry.appliedLsn, ledger.syncedLsn) + 1);
    // A flood of new names becomes a few transactions instead of thousands.
    return gather ? clock.sleep(gatherMs) : undefined;
  };
  return new LogConsumer(log, clock, Math.max(from, log.status.firstLsn), apply, register);
}

/** Registrations that the log has from `from` on: names that a full disk has kept out of the registry so far. */
export async function* registrationsFrom(
  log: Log,
  from: Lsn,
): AsyncGenerator<{ tenant: number; record: TagRegisteredRecord }> {
  const reader = log.reader(Math.max(from, log.status.firstLsn));
  try {
    while (reader.position <= log.status.durableLsn)
      for (const { type, tenant, payload } of await reader.next(portionBytes))
        if (type === recordType.tagRegistered) yield { tenant, record: decodeJson<TagRegisteredRecord>(payload) };
  } finally {
    reader.close();
  }
}
