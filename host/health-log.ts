import {
  type ConnectionChangedRecord,
  type ConnectionHealth,
  encodeJson,
  type Log,
  recordType,
} from "@lineshaft/contract/ports";

interface Parts {
  log: Pick<Log, "append">;
  /** Null: it is gone meanwhile. */
  connectionOf(tenant: number, name: string): { id: number; scope: string } | null;
  onError(error: unknown): void;
}

/** Puts changes of health into the log, so that who follows the stream needs not ask again and again. Each attempt in between is no news. */
export class HealthLog {
  readonly #parts: Parts;
  /** What was told last, by tenant and connection. */
  #told = new Map<string, { state: ConnectionHealth["state"]; text: string }>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  note(tenant: number, name: string, health: ConnectionHealth): void {
    const key = `${tenant}/${name}`;
    const news = newsOf(health);
    const text = JSON.stringify({ ...news, since: 0 });
    const before = this.#told.get(key);
    // Another attempt of one that waits says nothing until it succeeds or fails in another way.
    if (before?.text === text || (before?.state === "waiting" && health.state === "connecting")) return;
    const connection = this.#parts.connectionOf(tenant, name);
    if (connection === null) return;
    if (health.state === "stopped") this.#told.delete(key);
    else this.#told.set(key, { state: health.state, text });
    const record: ConnectionChangedRecord = {
      connectionId: connection.id,
      connection: name,
      scope: connection.scope,
      health: news,
    };
    const payload = encodeJson(record);
    this.#parts.log
      .append({ tenant, partition: 0, type: recordType.connectionChanged, payload })
      .durable.catch((error: unknown) => this.#parts.onError(error));
  }
}

/** When the next attempt is due is none: it changes with each of them. */
function newsOf(health: ConnectionHealth): Record<string, unknown> {
  if (health.state !== "waiting") return { ...health };
  const { retryAt: _, ...news } = health;
  return news;
}
