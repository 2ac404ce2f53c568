import { expect, it } from "vitest";
import { selfTimes } from "./profile.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 4 });

it("self time by function, idle time left out of the shares", () => {
  const { busyMs, functions } = selfTimes(
    {
      nodes: [
        { id: 1, callFrame: frame("(idle)") },
        { id: 2, callFrame: frame("decode", "node:zlib") },
        { id: 3, callFrame: frame("(garbage collector)") },
        { id: 4, callFrame: frame("decode", "node:zlib") },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [9_000_000, 2_000_000, 1_000_000, 1_000_000],
    },
    1,
  );
  expect(busyMs).toBe(4_000);
  expect(functions).toEqual([{ name: "decode node:zlib:5", ms: 3_000, share: 0.75 }]);
});
