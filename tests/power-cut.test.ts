// F7: the power goes under the whole server: log, history, registry and ledger on a file system that forgets what was not synced.
import { join } from "node:path";
import { hasPeer, mountPowerCut, type PowerCutMount } from "@lineshaft/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { type Batch, checkAgainst, Oracle, sendUntilDead } from "./support/oracle.ts";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const runs = process.env.LINESHAFT_LONG === "1" ? 20 : 3;
const flags = ["--segment-mib", "0.25", "--run-seconds", "0.3", "--snapshot-seconds", "0.5", "--log-hours", "0.001"];

let server: ServerProcess | null = null;
let disk: PowerCutMount | null = null;
const dirs: { remove: () => void }[] = [];

afterEach(async () => {
  await server?.kill();
  server = null;
  await disk?.unmount();
  disk = null;
  for (const dir of dirs.splice(0)) dir.remove();
});

describe.skipIf(!hasPeer("fuse"))("F7: a power cut under the whole server", () => {
  // Names follow the journal, as on ext4: DuckDB and SQLite rely on it.
  it.each(["drop", "torn"] as const)(
    "%s: nothing acknowledged is lost, names keep their numbers, keys still open the door",
    { timeout: 1_200_000 },
    async (tear) => {
      const dir = tempDir();
      dirs.push(dir);
      disk = await mountPowerCut(dir.path, { tear, seed: 7, names: "journal" });
      const dataDir = join(disk.path, "data");
      const oracle = new Oracle(Date.now() * 1000 - 30_000_000);
      const unanswered: Batch[] = [];
      let secret = "";
      let site: { id: number; revision: number } | null = null;
      for (let run = 1; run <= runs; run++) {
        server = await ServerProcess.start({ dataDir, flags });
        secret = server.adminSecret ?? secret;
        const rest = new Rest(server.url, secret);
        const dying = server;
        // Runs close every 0.3 s and the log's window is 3.6 s: cuts fall into all of it.
        setTimeout(() => void dying.kill(), 600 + 900 * (run % 4) + 37 * run);
        const name = `site of run ${run}`;
        const made = await rest.request<{ item: { id: number; revision: number } }>("POST", "/api/v1/equipment", {
          level: "site",
          name,
        });
        expect(made.status).toBe(201);
        site = made.body.item;
        await sendUntilDead(rest, oracle, unanswered, 100_000);
        await server.kill();
        await disk.cut();
      }
      server = await ServerProcess.start({ dataDir, flags });
      const rest = new Rest(server.url, secret);
      await sendUntilDead(rest, oracle, unanswered, 3);
      await checkAgainst(oracle, rest);
      expect(await rest.get(`/api/v1/equipment/${site!.id}`)).toMatchObject({ name: `site of run ${runs}` });
      const { items } = await rest.get<{ items: { name: string }[] }>("/api/v1/equipment");
      expect(items.filter(({ name }) => name.startsWith("site of run"))).toHaveLength(runs);
    },
  );
});
