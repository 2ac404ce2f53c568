import type { Proposals } from "@lineshaft/contract/api";
import { ConnectionError, type Learning } from "@lineshaft/contract/ports";
import { topicFilterFault } from "../../kit/mqtt/topic.ts";
import type { MqttConfig, TemplateConfig } from "./config.ts";
import { payloadLimits, readPayload } from "./payload.ts";

export interface Proposal {
  topic: string;
  payload: TemplateConfig["payload"];
  timePath?: string;
  values: { path: string }[];
  /** How many topics it covers, and one of them. */
  topics: number;
  example: string;
}

interface Seen {
  topic: string;
  shape: string;
  payload: TemplateConfig["payload"];
  timePath?: string;
  values: string[];
}

const topicsMax = 5000;
const timeNames = /^(t|ts|time|timestamp|datetime|date)$/i;

/** Watches topics and proposes templates: levels that differ between topics of the same shape become variables. */
export class Learner {
  readonly #seen = new Map<string, Seen>();
  /** Topics beyond the bound. */
  overlooked = 0;

  observe(topic: string, payload: Uint8Array): void {
    if (this.#seen.has(topic)) return;
    if (this.#seen.size >= topicsMax) {
      this.overlooked++;
      return;
    }
    this.#seen.set(topic, { topic, ...shapeOf(payload) });
  }

  proposals(): Proposal[] {
    const groups = new Map<string, Seen[]>();
    for (const seen of this.#seen.values()) {
      const key = `${seen.topic.split("/").length} ${seen.shape}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [seen]);
      else group.push(seen);
    }
    return [...groups.values()].flatMap(split).map(propose);
  }
}

/** Topics of one shape that differ in their first or last level are rarely the same kind of thing, so those stay as they are. */
function split(group: Seen[]): Seen[][] {
  const parts = new Map<string, Seen[]>();
  for (const seen of group) {
    const levels = seen.topic.split("/");
    const key = `${levels[0]}/${levels.at(-1)}`;
    parts.set(key, [...(parts.get(key) ?? []), seen]);
  }
  return [...parts.values()];
}

function propose(group: Seen[]): Proposal {
  const [first] = group;
  const levels = first.topic.split("/");
  const topic = levels
    .map((level, i) => (group.every((seen) => seen.topic.split("/")[i] === level) ? level : `{level${i + 1}}`))
    .join("/");
  return {
    topic,
    payload: first.payload,
    ...(first.timePath === undefined ? {} : { timePath: first.timePath }),
    values: first.values.map((path) => ({ path })),
    topics: group.length,
    example: first.topic,
  };
}

/** What kind of payload this is, judged by reading it as JSON. */
function shapeOf(payload: Uint8Array): Omit<Seen, "topic"> {
  const plain: Omit<Seen, "topic"> = { shape: "scalar", payload: "scalar", values: [] };
  if (payload.length > payloadLimits.textBytes) return plain;
  const text = Buffer.from(payload).toString().trimStart();
  if (!text.startsWith("{")) return plain;
  try {
    const found = readPayload(
      { topic: "x", payload: "json", type: "any", values: [], timeUnit: "auto", retained: "take" },
      payload,
    );
    const names = found.map(({ name }) => name ?? "");
    const timePath = names.find(
      (name) => timeNames.test(name.split(/[.[]/)[0]) || timeNames.test(name.split(".").at(-1) ?? ""),
    );
    const column = names.every((name) => /^[^.[]+\[\d+\]$/.test(name));
    const base = (name: string): string => (column ? name.replace(/\[\d+\]$/, "") : name);
    const values = [...new Set(names.map(base))].filter((name) => timePath === undefined || name !== base(timePath));
    return {
      shape: `${column ? "columns" : "json"} ${values.join(",")}`,
      payload: column ? "columns" : "json",
      ...(timePath === undefined ? {} : { timePath: base(timePath) }),
      values: values.slice(0, 100),
    };
  } catch {
    return plain;
  }
}

/** Learning beside what runs: a session of its own that keeps nothing, on topics that no template covers. */
export const learning: Learning<MqttConfig> = {
  config(config, filters, unique) {
    const learn = filters.length > 0 ? [...filters] : config.learn.length > 0 ? config.learn : ["#"];
    for (const filter of learn) {
      const fault = topicFilterFault(filter);
      if (fault !== null)
        throw new ConnectionError("misconfigured", `"${filter}": ${fault}.`, "Write it as plant/# or +/state.");
    }
    const clientId = `${(config.server.clientId ?? "lineshaft").slice(0, 100)}-learn-${unique}`;
    return { ...config, server: { ...config.server, clientId }, templates: [], learn, qos: 0, session: "clean" };
  },
  proposals(diagnosis): Proposals {
    const { proposals, overlooked } = diagnosis.learning as { proposals: Proposal[]; overlooked: number };
    return {
      items: proposals.map(({ topics, example, ...template }) => ({ template, topics, example })),
      overlooked,
    };
  },
};
