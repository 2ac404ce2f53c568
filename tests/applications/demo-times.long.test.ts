// The demo as `npm start` runs it, with its processes and protocols, over what happens at other times of day than now: changes of shift, breaks, the turn of days, changes of the clock.
import { setTimeout as sleep } from "node:timers/promises";
import { type Cells, type Equipment, minuteUs } from "@lineshaft/contract/api";
import { hasPeer } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { protocols } from "../../simulation/plant/wiring.ts";
import { TruthBook } from "../../simulation/truth/truth-book.ts";
import { fakeTime } from "../support/fake-time.ts";
import { Rest } from "../support/rest.ts";
import { ServerProcess, tempDir } from "../support/server-process.ts";
import { unsound, untrue } from "./truth/compare.ts";
import { places, truthAt } from "./truth/demo-plant.ts";

const quarterUs = 15 * minuteUs;
/** So long before it happens the demo is started: then also those are heard that have no past. */
const beforeUs = 3 * minuteUs;
/** What is late, and a machine that is slow. */
const settledUs = 2 * minuteUs;

/** The press is polled: when its parts came is known no better than that, and no oracle knows it. */
const all = [...places, "Eastgate/Parts/Parts line 2/Machining centre 1"];

describe.skipIf(!hasPeer("faketime"))("the demo at other times", { timeout: 40 * 60_000 }, () => {
  let dir: ReturnType<typeof tempDir>;
  let server: ServerProcess | null = null;
  beforeEach(() => {
    dir = tempDir();
  });
  afterEach(async () => {
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it.each([
    ["a change of shift at both sites", "2026-11-26T05:00:00Z"],
    ["a break at both sites", "2026-11-26T09:00:00Z"],
    ["the end of a break", "2026-11-26T09:30:00Z"],
    ["the afternoon's change of shift", "2026-11-26T13:00:00Z"],
    ["the night's change of shift, and of the production day in Berlin", "2026-11-26T21:00:00Z"],
    ["midnight in Berlin", "2026-11-25T23:00:00Z"],
    ["a Sunday begins in Chicago", "2026-11-29T06:00:00Z"],
    ["Berlin's clock is put back", "2026-10-25T01:00:00Z"],
    ["Chicago's clock is put back", "2026-11-01T07:00:00Z"],
    ["summer: counters begin anew in the middle of a shift", "2026-07-01T05:00:00Z"],
  ])("%s", async (_, instant) => {
    const eventUs = Date.parse(instant) * 1000;
    const offsetUs = eventUs - beforeUs - Date.now() * 1000;
    const nowUs = (): number => Date.now() * 1000 + offsetUs;
    server = await ServerProcess.start({ dataDir: dir.path, command: "demo", env: fakeTime(offsetUs) });
    const rest = new Rest(server.url, server.adminSecret ?? "");
    const book = new TruthBook(1, new Set(protocols));
    while (nowUs() < eventUs + quarterUs + settledUs) await sleep(1000);
    const { items } = await rest.get<{ items: Equipment[] }>("/api/v1/equipment?limit=1000");
    const ids = new Map(items.map(({ path, id }) => [path, id]));
    const quarter = { fromUs: eventUs, toUs: eventUs + quarterUs };
    const wrong: string[] = [];
    for (const place of all) {
      const query = `from=${quarter.fromUs}&to=${quarter.toUs}`;
      const { cells, policies } = await rest.get<Cells>(`/api/v1/equipment/${ids.get(place)}/cells?${query}`);
      const by = new Map(policies.map((policy) => [policy.version, policy]));
      const found = unsound(cells, by, quarter) ?? untrue(cells, by, truthAt(book, place, quarter, nowUs()));
      if (found !== null) wrong.push(`${place}: ${found}`);
    }
    expect(wrong, server.stderr).toEqual([]);
  });
});
