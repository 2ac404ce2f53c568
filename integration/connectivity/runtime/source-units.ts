import type { Clock, ConnectorBatch } from "@lineshaft/contract/ports";

/** A source whose units flicker costs a write a second at most. */
const pauseMs = 1000;

export interface SourceUnitParts {
  clock: Clock;
  /** Keeps what is new. */
  put(units: ReadonlyMap<string, string>): Promise<void>;
  signal: AbortSignal;
}

/** What a source says of the units of its tags: compared here once per name, and told on only where it is new or another than before. */
export class SourceUnits {
  readonly #parts: SourceUnitParts;
  readonly #told = new Map<string, string>();
  #news = new Map<string, string>();
  #telling = false;

  constructor(parts: SourceUnitParts) {
    this.#parts = parts;
  }

  note(properties: NonNullable<ConnectorBatch["properties"]>): void {
    for (const [name, { unit }] of properties) {
      const said = unit?.trim() ?? "";
      // What cannot be shown in a line is no unit; a part of one would be another.
      if (said === "" || said.length > 64 || /\p{C}/u.test(said)) continue;
      if (this.#told.get(name) === said) this.#news.delete(name);
      else this.#news.set(name, said);
    }
    if (this.#news.size > 0 && !this.#telling) void this.#tell();
  }

  /** Never rejects: values do not wait for what is said about them, and what could not be kept is tried again. */
  async #tell(): Promise<void> {
    const { clock, put, signal } = this.#parts;
    this.#telling = true;
    try {
      while (this.#news.size > 0) {
        const news = this.#news;
        this.#news = new Map();
        await put(news).then(
          () => {
            for (const [name, unit] of news) this.#told.set(name, unit);
          },
          () => {
            this.#news = new Map([...news, ...this.#news]);
          },
        );
        await clock.sleep(pauseMs, signal);
      }
    } catch {
      // The connection has ended.
    } finally {
      this.#telling = false;
    }
  }
}
