/**
 * peers: the same rows into other products on the same disk in the same run as `ingest-http`: PostgreSQL 15 (COPY BINARY, one commit a batch of 1,000, and once
 * more with batches of 100,000) and VictoriaMetrics. Each has the machine to itself in its turn. The value is our rate over that of PostgreSQL at the same batch
 * size: the only peer here whose acknowledgement promises the same. Note that peers serve no consumer and no queries meanwhile, ours does.
 */
import { ingestHttp } from "./ingest.ts";
import type { PeerResult } from "./lib/peer.ts";
import { postgresInstalled, runPostgres } from "./lib/postgres.ts";
import type { Bench } from "./lib/report.ts";
import { round } from "./lib/stats.ts";
import { runVictoria, victoriaInstalled } from "./lib/victoria.ts";

export const peers: Bench = {
  name: "peers",
  about: "ingest-http over PostgreSQL 15 COPY, with VictoriaMetrics beside it, same rows, same run",
  unit: "×",
  better: "higher",
  floor: null,
  target: null,
  async run(context) {
    const { dir, seconds, say } = context;
    const ours = await ingestHttp.run(context);
    const found: Record<string, PeerResult | string> = {};
    const add = async (name: string, installed: boolean, run: () => Promise<PeerResult>): Promise<void> => {
      found[name] = installed ? await run() : "skipped: not installed";
      say(`${name}: ${JSON.stringify(found[name])}`);
    };
    await add("postgres", postgresInstalled(), () => runPostgres(dir, seconds, 1_000));
    await add("postgresBulk", postgresInstalled(), () => runPostgres(dir, seconds, 100_000));
    await add("victoriaMetrics", victoriaInstalled(), () => runVictoria(dir, seconds));
    const { postgres } = found;
    const value = typeof postgres === "object" ? round(ours.value / postgres.pointsPerSecond) : 0;
    return { value, lineshaft: { pointsPerSecond: ours.value, cpuSeconds: ours.cpuSeconds }, ...found };
  },
};
