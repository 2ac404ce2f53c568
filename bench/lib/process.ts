import { readFileSync } from "node:fs";

/** What Linux says about a process; null once it is gone. */
export interface ProcessFigures {
  cpuSeconds: number;
  rssBytes: number;
  rssMaxBytes: number;
}

/** Clock ticks a second in /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export function processFigures(pid: number): ProcessFigures | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command, in parentheses, may hold blanks; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      rssBytes: kib("VmRSS") * 1024,
      rssMaxBytes: kib("VmHWM") * 1024,
    };
  } catch {
    return null;
  }
}
