import type { IngestReceipt, PointSeries, Problem, SystemStatus } from "@lineshaft/contract/api";

/** A tiny REST client that shares no code with the SDK: fetch and JSON, as a stranger would write it. */
export class Rest {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  async request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: T; etag: string }> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: raw ? (body as BodyInit) : body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const answer = (text === "" ? null : JSON.parse(text)) as T;
    return { status: response.status, body: answer, etag: response.headers.get("etag") ?? "" };
  }

  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.request<T | Problem>("GET", path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body as T;
  }

  ingest(connection: string, body: unknown, query = ""): Promise<{ status: number; body: IngestReceipt & Problem }> {
    return this.request("POST", `/api/v1/ingest/${connection}${query}`, body);
  }

  system(): Promise<SystemStatus> {
    return this.get("/api/v1/system");
  }

  /** All points of the tags in the range, over all pages. */
  async raw(tags: number[], fromUs: number, toUs: number): Promise<[tag: number, time: number, value: unknown][]> {
    const rows: [number, number, unknown][] = [];
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams(tags.map((t) => ["tag", String(t)]));
      query.set("from", String(fromUs));
      query.set("to", String(toUs));
      if (cursor !== null) query.set("cursor", cursor);
      const page: PointSeries = await this.get(`/api/v1/history/raw?${query}`);
      for (let i = 0; i < page.rows; i++) rows.push([page.tag[i], page.time[i], page.value[i]]);
      cursor = page.cursor;
    } while (cursor !== null);
    return rows;
  }

  /** Waits until nothing is pending; gives the sums. */
  async settle(timeoutMs = 30_000): Promise<SystemStatus["sums"]> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const status = await this.system();
      if (status.sums.pending === 0 && status.history.lagRecords === 0) return status.sums;
      if (Date.now() > end)
        throw new Error(`Not settled: ${JSON.stringify(status.sums)}, lag ${status.history.lagRecords}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
