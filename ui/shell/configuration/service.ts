import type { Configuration, ConfigurationRevision, Plan } from "@lineshaft/contract/api";
import { ask, call } from "../platform.ts";

export interface ReadConfiguration {
  configuration: Configuration;
  /** The present revision, whichever was read. */
  revision: number;
}

/** A configuration as it is sent: values, or YAML as somebody wrote it. */
export type Wanted = { value: Configuration } | { text: string };

const yaml = "application/yaml";
const typeOf = (wanted: Wanted): string => ("text" in wanted ? yaml : "application/json");
const bodyOf = (wanted: Wanted): string => ("text" in wanted ? wanted.text : JSON.stringify(wanted.value));
const addressOf = (revision?: number): string =>
  `/configuration${revision === undefined ? "" : `?revision=${revision}`}`;

export async function readConfiguration(revision?: number, signal?: AbortSignal): Promise<ReadConfiguration> {
  const response = await ask("GET", addressOf(revision), { ...(signal === undefined ? {} : { signal }) });
  const current = Number(/\d+/.exec(response.headers.get("etag") ?? "")?.[0]);
  return { configuration: (await response.json()) as Configuration, revision: current };
}

export async function readYaml(revision?: number, signal?: AbortSignal): Promise<string> {
  const response = await ask("GET", addressOf(revision), {
    accept: yaml,
    ...(signal === undefined ? {} : { signal }),
  });
  return response.text();
}

export async function planFor(wanted: Wanted, signal?: AbortSignal): Promise<Plan> {
  const response = await ask("POST", "/configuration/plan", {
    body: bodyOf(wanted),
    type: typeOf(wanted),
    ...(signal === undefined ? {} : { signal }),
  });
  return (await response.json()) as Plan;
}

/** All of it or nothing, and only while `revision` is the present one. Returns the revision that it made. */
export async function apply(wanted: Wanted, revision: number): Promise<number> {
  const response = await ask("PUT", "/configuration", { body: bodyOf(wanted), type: typeOf(wanted), revision });
  const { receipt } = (await response.json()) as { receipt: { revision: number } };
  return receipt.revision;
}

export async function newestRevision(): Promise<ConfigurationRevision | null> {
  return (await call("listConfigurationRevisions", { query: { limit: 1 } })).items[0] ?? null;
}
