import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The environment in which a process and its children live so many µs from now, at the usual pace: wall clocks are moved, monotonic ones are not. Needs the peer `faketime`. */
export function fakeTime(offsetUs: number): Record<string, string> {
  const seconds = Math.round(offsetUs / 1e6);
  return {
    LD_PRELOAD: library(),
    FAKETIME: `${seconds < 0 ? "" : "+"}${seconds}`,
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

function library(): string {
  const folder = "/usr/lib";
  const files = readdirSync(folder).map((name) => join(folder, name, "faketime", "libfaketimeMT.so.1"));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error("There is no libfaketimeMT.so.1 below /usr/lib.");
  return found;
}
