import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./server.ts";
import { round } from "./stats.ts";

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

export interface SelfTime {
  name: string;
  ms: number;
  share: number;
}

/** Self time by function, greatest first; `(idle)` left out of the shares. */
export function selfTimes(profile: CpuProfile, top: number): { busyMs: number; functions: SelfTime[] } {
  const nameOf = new Map<number, string>();
  for (const { id, callFrame } of profile.nodes) nameOf.set(id, frameName(callFrame));
  const byName = new Map<string, number>();
  for (const [i, id] of profile.samples.entries()) {
    const name = nameOf.get(id) ?? "(unknown)";
    byName.set(name, (byName.get(name) ?? 0) + profile.timeDeltas[i] / 1000);
  }
  byName.delete("(idle)");
  const busyMs = [...byName.values()].reduce((sum, ms) => sum + ms, 0);
  const functions = [...byName]
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([name, ms]) => ({ name, ms: round(ms, 0), share: round(ms / busyMs, 3) }));
  return { busyMs: round(busyMs, 0), functions };
}

function frameName({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const path = url.startsWith("file:") ? fileURLToPath(url).replace(`${root}/`, "") : url;
  return `${name} ${path}:${lineNumber + 1}`;
}

/** The profiles in a directory as text: one block a thread, the busiest first. */
export function describeProfiles(dir: string, top = 12): string[] {
  if (!existsSync(dir)) return [];
  const threads = readdirSync(dir)
    .filter((name) => name.endsWith(".cpuprofile"))
    .map((name) => ({ name, ...selfTimes(JSON.parse(readFileSync(join(dir, name), "utf8")) as CpuProfile, top) }))
    .sort((a, b) => b.busyMs - a.busyMs);
  return threads.flatMap(({ name, busyMs, functions }) => [
    `${name}: busy ${busyMs} ms`,
    ...functions.map(
      ({ name: f, ms, share }) => `  ${String(ms).padStart(7)} ms ${(share * 100).toFixed(1).padStart(5)} %  ${f}`,
    ),
  ]);
}
