/** 4.1 of the specification. */
export const namespace = "spBv1.0";
export const rebirthMetric = "Node Control/Rebirth";

const nodeVerbs = ["NBIRTH", "NDEATH", "NDATA", "NCMD"] as const;
const deviceVerbs = ["DBIRTH", "DDEATH", "DDATA", "DCMD"] as const;
export type NodeVerb = (typeof nodeVerbs)[number];
export type DeviceVerb = (typeof deviceVerbs)[number];

export type SparkplugTopic =
  | { verb: "STATE"; host: string }
  | { verb: NodeVerb; group: string; node: string; device: null }
  | { verb: DeviceVerb; group: string; node: string; device: string };

/** What a topic says, or null when it is none of Sparkplug B's. */
export function parseTopic(topic: string): SparkplugTopic | null {
  const parts = topic.split("/");
  if (parts[0] !== namespace) return null;
  // Group "STATE" cannot be: the second level of a host's topic has this name.
  if (parts[1] === "STATE") return parts.length === 3 && parts[2] !== "" ? { verb: "STATE", host: parts[2] } : null;
  const [, group, verb, node, device] = parts;
  if (!group || !node) return null;
  if (parts.length === 4 && isOneOf(nodeVerbs, verb)) return { verb, group, node, device: null };
  if (parts.length === 5 && device && isOneOf(deviceVerbs, verb)) return { verb, group, node, device };
  return null;
}

const isOneOf = <T extends string>(list: readonly T[], text: string): text is T =>
  (list as readonly string[]).includes(text);

export const stateTopic = (host: string): string => `${namespace}/STATE/${host}`;
export const commandTopic = (group: string, node: string, device: string | null = null): string =>
  device === null ? `${namespace}/${group}/NCMD/${node}` : `${namespace}/${group}/DCMD/${node}/${device}`;

/** The address of a metric as a raw tag. A metric of the node itself has an empty device, which no device can have. */
export const metricAddress = (group: string, node: string, device: string | null, metric: string): string =>
  `${group}/${node}/${device ?? ""}/${metric}`;

/** JSON of a host's STATE message (6.4.27 in the 3.0 form); the old text form "ONLINE"/"OFFLINE" and anything else gives null. */
export function parseState(payload: Uint8Array): { online: boolean; timestamp: number } | null {
  if (payload.length > 1024) return null;
  try {
    const state: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    if (typeof state !== "object" || state === null) return null;
    const { online, timestamp } = state as Record<string, unknown>;
    return typeof online === "boolean" && typeof timestamp === "number" ? { online, timestamp } : null;
  } catch {
    return null;
  }
}

export const encodeState = (online: boolean, timestamp: number): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ online, timestamp }));
