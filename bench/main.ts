/**
 * `npm run bench -- <name …|all> [--json] [--list] [--seconds n] [--quick] [--profile]`. What people read goes to stderr; each bench ends with one JSON line on stdout. `all`
 * also writes bench/RESULTS.md. Each bench is a file here; what they share is in lib/, and the data they send in factory-mix.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { consoleBenches } from "./console.ts";
import { derive } from "./derive.ts";
import { disk } from "./disk.ts";
import { fleet } from "./fleet.ts";
import { ingestHttp, ingestJson } from "./ingest.ts";
import { latency } from "./latency.ts";
import { describeProfiles } from "./lib/profile.ts";
import { type Bench, type BenchContext, type Line, resultsPage, verdict } from "./lib/report.ts";
import { root } from "./lib/server.ts";
import { memory } from "./memory.ts";
import { modbus } from "./modbus.ts";
import { mqttExternal, mqttSingle } from "./mqtt.ts";
import { mqttPeers } from "./mqtt-peers.ts";
import { oee } from "./oee.ts";
import { onboard } from "./onboard.ts";
import { opcuaBrowse } from "./opcua-browse.ts";
import { opcuaChanges } from "./opcua-changes.ts";
import { opcuaReconnect } from "./opcua-reconnect.ts";
import { peers } from "./peers.ts";
import { queries } from "./queries.ts";
import { recovery } from "./recovery.ts";
import { replay } from "./replay.ts";
import { size } from "./size.ts";
import { ingestSparkplug, ingestSparkplugOee } from "./sparkplug.ts";

const benches: readonly Bench[] = [
  disk,
  ingestHttp,
  ingestJson,
  latency,
  ...queries,
  replay,
  recovery,
  memory,
  derive,
  modbus,
  ingestSparkplug,
  ingestSparkplugOee,
  ...oee,
  ...consoleBenches,
  mqttSingle,
  mqttExternal,
  fleet,
  onboard,
  opcuaChanges,
  opcuaReconnect,
  opcuaBrowse,
  size,
  peers,
  mqttPeers,
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    seconds: { type: "string" },
  },
});

const say = (text: string): void => {
  if (!options.json) process.stderr.write(`${text}\n`);
};

function list(): void {
  if (options.json) {
    const rows = benches.map(({ name, about, unit, floor, target }) => ({ name, about, unit, floor, target }));
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  for (const { name, unit, about } of benches) process.stdout.write(`${name.padEnd(12)} ${unit.padEnd(5)} ${about}\n`);
}

interface How {
  seconds: number;
  profile: boolean;
}

async function run(bench: Bench, how: How): Promise<{ line: Line; profile: string[] }> {
  const outDir = join(root, "bench", "out");
  const cacheDir = join(outDir, "cache");
  mkdirSync(cacheDir, { recursive: true });
  const dir = mkdtempSync(join(outDir, `${bench.name}-`));
  const profileDir = how.profile ? join(outDir, `profile-${bench.name}`) : null;
  if (profileDir !== null) rmSync(profileDir, { recursive: true, force: true });
  const context: BenchContext = {
    quick: options.quick,
    seconds: how.seconds,
    dir,
    cacheDir,
    profileDir,
    say: (text) => say(`  ${text}`),
  };
  say(`${bench.name}: ${bench.about}`);
  try {
    const result = await bench.run(context);
    const line: Line = { name: bench.name, unit: bench.unit, ...result };
    say(`  = ${line.value} ${bench.unit}  ${verdict(bench, line)}`);
    const profile = profileDir === null ? [] : describeProfiles(profileDir);
    for (const text of profile) say(`  ${text}`);
    // Beside the line on stdout: `--quick` figures are no figures.
    process.stdout.write(`${JSON.stringify(options.quick ? { ...line, quick: true } : line)}\n`);
    return { line, profile };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  if (options.list) return list();
  const all = positionals.includes("all");
  const chosen = all ? benches : positionals.flatMap(benchesOf);
  if (chosen.length === 0) {
    process.stderr.write("Which bench? Give a name of `--list`, or `all`.\n");
    process.exitCode = 2;
    return;
  }
  const seconds = options.seconds === undefined ? (options.quick ? 5 : 60) : Number(options.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds must be a positive number; it is "${options.seconds}".`);
  const lines: Line[] = [];
  const profiles: { name: string; text: string[] }[] = [];
  for (const bench of chosen) {
    try {
      const { line } = await run(bench, { seconds, profile: options.profile });
      lines.push(line);
      // A missed target wants an explanation. A profiler slows what it looks at, so the explanation is a run of its own.
      if (!all || ["target", ""].includes(verdict(bench, line))) continue;
      const again = await run(bench, { seconds: Math.min(20, seconds), profile: true });
      if (again.profile.length > 0) profiles.push({ name: bench.name, text: again.profile });
    } catch (error) {
      // One that fails must not hide the others.
      process.stderr.write(`${bench.name} failed: ${(error as Error).stack}\n`);
      process.exitCode = 1;
    }
  }
  if (all)
    writeFileSync(join(root, "bench", "RESULTS.md"), resultsPage(benches, lines, profiles, new Date(), options.quick));
}

/** A bench by its name, or all whose names begin with it. */
function benchesOf(name: string): readonly Bench[] {
  const exact = benches.filter((bench) => bench.name === name);
  const found = exact.length > 0 ? exact : benches.filter((bench) => bench.name.startsWith(`${name}-`));
  if (found.length > 0) return found;
  process.stderr.write(`There is no bench "${name}"; --list names them.\n`);
  process.exit(2);
}

await main();
process.exit();
