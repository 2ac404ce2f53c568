// F6 at K9, F40: kill −9 while a configuration is saved, before its commit and after it. The oracle is a plain list of what was sent and answered.
import type { Configuration } from "@lineshaft/contract/api";
import { afterEach, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";
import { Stream } from "./support/stream.ts";

const rounds = process.env.LINESHAFT_LONG === "1" ? 100 : 4;
const dir = tempDir();
let server: ServerProcess | null = null;
afterEach(async () => {
  await server?.kill();
  dir.remove();
});

/** Each differs from the others in everything: names, tags, their number. */
function plantOf(round: number): Configuration {
  const equipment = Array.from({ length: 30 }, (_, i) => ({ path: `Site ${i}`, level: "site" as const }));
  const lifecycle = round % 2 === 0 ? ("test" as const) : ("productive" as const);
  return {
    version: 1,
    equipment: equipment.map((entry) => ({ ...entry, lifecycle })),
    connections: [
      {
        name: "press",
        kind: "modbus",
        config: { host: "127.0.0.1", port: 1 + round },
        tags: equipment.map(({ path }, i) => ({ address: `holding:${i}`, name: `round ${round}`, equipment: path })),
      },
    ],
  };
}
/** Which of them it is, whole; null: none. */
function roundOf({ equipment = [], connections = [] }: Configuration): number | null {
  const [press] = connections;
  if (press === undefined) return equipment.length === 0 ? 0 : null;
  const round = (press.config?.port as number) - 1;
  const wanted = plantOf(round);
  const whole =
    press.tags?.length === 30 &&
    press.tags.every(({ name }) => name === `round ${round}`) &&
    equipment.length === 30 &&
    equipment.every(({ lifecycle = "productive" }) => lifecycle === wanted.equipment?.[0].lifecycle);
  return whole ? round : null;
}

describe("F6, F40: kill −9 at K9, the save of a configuration", () => {
  it("leaves all of the one before or all of the new one, and what was answered stays", {
    timeout: 600_000,
  }, async () => {
    let secret = "";
    let saved = 0;
    for (let round = 1; round <= rounds; round++) {
      // Passed before the commit and after it; every third round the save before is answered first.
      const answered = round % 3 === 0 ? 1 : 0;
      const afterCommit = round % 2 === 0;
      const nth = 2 * answered + (afterCommit ? 2 : 1);
      server = await ServerProcess.start({ dataDir: dir.path, env: { LINESHAFT_CRASH: `K9:${nth}` } });
      secret = server.adminSecret ?? secret;
      const rest = new Rest(server.url, secret);
      const put = async (which: number): Promise<number | null> => {
        const { body } = await rest.request<{ items: { revision: number }[] }>(
          "GET",
          "/api/v1/configuration/revisions?limit=1",
        );
        const headers = { "if-match": `"${body.items[0]?.revision ?? 0}"` };
        return rest.request("PUT", "/api/v1/configuration", plantOf(which), headers).then(
          ({ status }) => status,
          () => null,
        );
      };
      if (answered === 1) {
        expect(await put(1000 + round)).toBe(200);
        saved = 1000 + round;
      }
      expect(await put(round), "the server died before it answered").toBe(null);
      expect(await server.exited).toMatchObject({ signal: "SIGKILL" });

      server = await ServerProcess.start({ dataDir: dir.path });
      const again = new Rest(server.url, secret);
      const found = roundOf(await again.get<Configuration>("/api/v1/configuration"));
      expect(found).toBe(afterCommit ? round : saved);
      // What was committed reaches the log, once, although nobody was left to put it there.
      const stream = new Stream(server.url, secret, { types: ["registry.changed"], from: 0 });
      const named = (): number =>
        stream.messages.filter(
          ({ data }) => data?.entity === "tag" && (data.after as { name?: string }).name === `round ${found}`,
        ).length;
      if (found !== 0) await stream.until(() => named() >= 30, "the changes in the log");
      expect(named()).toBe(found === 0 ? 0 : 30);
      stream.close();
      saved = found as number;
      await server.kill();
    }
  });
});
