import { apiBase } from "@lineshaft/contract/api";

/** Plain REST calls for the harness itself; what is measured uses its own ways. */
export class Api {
  readonly url: string;
  readonly key: string;

  constructor(url: string, key: string) {
    this.url = url;
    this.key = key;
  }

  async get<T>(path: string, timeoutMs = 60_000): Promise<T> {
    return (await (await this.request("GET", path, undefined, timeoutMs)).json()) as T;
  }

  async post<T>(path: string, body: object): Promise<T> {
    return (await (await this.request("POST", path, body)).json()) as T;
  }

  /** Makes the configuration this one. */
  async configure(configuration: object): Promise<void> {
    const current = await this.request("GET", "/configuration");
    const ifMatch = { "if-match": current.headers.get("etag") ?? "" };
    await this.request("PUT", "/configuration", configuration, 120_000, undefined, ifMatch);
  }

  async request(
    method: string,
    path: string,
    body?: object,
    timeoutMs = 60_000,
    accept?: string,
    more: Record<string, string> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.key}`, ...more };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (accept !== undefined) headers.accept = accept;
    const answer = await fetch(`${this.url}${apiBase}${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (answer.ok) return answer;
    throw new Error(`${method} ${path}: HTTP ${answer.status} ${(await answer.text()).slice(0, 500)}`);
  }
}

/** An API key with all rights, made with the admin secret of a fresh data directory, as the console would do it. */
export async function createAdminKey(url: string, adminSecret: string): Promise<string> {
  const signIn = await fetch(`${url}${apiBase}/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ secret: adminSecret }),
  });
  const cookie = signIn.headers.get("set-cookie")?.split(";", 1)[0];
  if (!signIn.ok || !cookie) throw new Error(`Sign-in: HTTP ${signIn.status} ${await signIn.text()}`);
  const created = await fetch(`${url}${apiBase}/keys`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url, cookie },
    body: JSON.stringify({ name: "bench", role: "admin" }),
  });
  if (!created.ok) throw new Error(`Creating a key: HTTP ${created.status} ${await created.text()}`);
  return ((await created.json()) as { secret: string }).secret;
}
