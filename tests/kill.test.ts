// F6: kill −9 at each crash point. The oracle is a plain list of what was sent and what was acknowledged.
import { afterEach, describe, expect, it } from "vitest";
import { type Batch, checkAgainst, Oracle, sendUntilDead } from "./support/oracle.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const long = process.env.LINESHAFT_LONG === "1";
const flags = ["--segment-mib", "0.25", "--run-seconds", "0.3", "--snapshot-seconds", "0.5", "--log-hours", "0.001"];

let server: ServerProcess | null = null;
const dirs: { remove: () => void }[] = [];

afterEach(async () => {
  await server?.kill();
  server = null;
  for (const dir of dirs.splice(0)) dir.remove();
});

describe("F6: kill −9 at", () => {
  it.each(["K0", "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8"])(
    "%s loses nothing acknowledged",
    { timeout: 1_200_000 },
    async (point) => {
      const dir = tempDir();
      dirs.push(dir);
      const oracle = new Oracle(Date.now() * 1000 - 30_000_000);
      const unanswered: Batch[] = [];
      let secret = "";
      let died = 0;
      // Until a segment leaves the log takes long.
      const runs = long ? 20 : point === "K6" ? 1 : 3;
      for (let run = 1; run <= runs; run++) {
        // History's points are passed once a run file, the others once a batch or segment.
        const nth = point === "K7" || point === "K8" ? run : point >= "K5" ? run : 2 + run * 5;
        server = await ServerProcess.start({ dataDir: dir.path, flags, env: { LINESHAFT_CRASH: `${point}:${nth}` } });
        secret = server.adminSecret ?? secret;
        // Segments leave the log in portions, seconds behind: the slowest view lets it go.
        await sendUntilDead(new Rest(server.url, secret), oracle, unanswered, point === "K6" ? 10_000 : 1500);
        const { signal } = await server.kill();
        if (signal === "SIGKILL" && unanswered.length > 0) died++;
      }
      expect(died, "the crash point was passed in every run").toBe(runs);
      server = await ServerProcess.start({ dataDir: dir.path, flags });
      const rest = new Rest(server.url, secret);
      await sendUntilDead(rest, oracle, unanswered, 3);
      await checkAgainst(oracle, rest);
    },
  );
});
