import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ProblemError } from "@lineshaft/contract/api";
import { startApplications } from "./applications.ts";
import { captureCommands } from "./capture-commands.ts";
import { readConfig, settings, UsageError } from "./config.ts";
import { configurationCommands } from "./configuration-commands.ts";
import { type Demo, startDemo } from "./demo.ts";
import { demoPlantAt } from "./demo-plant.ts";
import { type RunningServer, startServer, version } from "./server.ts";
import { verify } from "./verify.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const commands = {
  up: "Start the server on its data directory (empty at first)",
  demo: "Start the server with a demo plant; data in their own directory",
  verify: "Check the sum rule of a running server: verify [--settle] [--url …] (key in LINESHAFT_KEY)",
  check: "Look for mistakes in configuration files, without a server: check <file or folder> …",
  plan: "What applying them would change: plan <file or folder> … [--exit-code] [--json]",
  apply: "Apply them, all or nothing: apply <file or folder> …, or go back: apply --revision <n>",
  export: "The configuration as YAML: export [--revision <n>] [--output <file>]",
  record: "The traffic of a running connection into a file: record <connection> [--seconds <n>] --out <file>",
  replay:
    "Decode such a file without a network: replay <file> --kind <kind> --config <file>, or --connection <name> [--into <connection>]",
  version: "Print the version",
  help: "Print this",
};

function usage(): string {
  const flags = Object.entries(settings).map(
    ([name, { text, default: value }]) => `  --${name.padEnd(14)} ${text} (${value})`,
  );
  const lines = Object.entries(commands).map(([name, text]) => `  ${name.padEnd(10)} ${text}`);
  return [
    "lineshaft <command> [flags]",
    "",
    ...lines,
    "",
    "Flags of up and demo, each also as LINESHAFT_<FLAG>:",
    ...flags,
    "",
  ].join("\n");
}

async function serve(command: "up" | "demo", args: string[]): Promise<void> {
  const config = readConfig(command, args, process.env);
  const consoleDir = await consoleBuild();
  const plant = command === "demo" ? demoPlantAt() : undefined;
  const server = await startServer(config, consoleDir, plant);
  const applications = startApplications(
    config.applications,
    join(root, "applications"),
    { url: server.url, key: (name, role) => server.createKey(`application ${name}`, role) },
    server.log,
  );
  const demo = command === "demo" ? demoOf(server, config.dataDir) : null;
  const demoSecret = command === "demo" ? server.createKey("demo login", "admin") : null;
  say(server, demoSecret);
  void demo?.live
    .then(({ faults }) => {
      plant?.listens(faults);
      sayFaults(faults);
    })
    .catch(() => undefined);

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    server.log.info({ signal }, "Stopping");
    demo?.leaveIt();
    await applications.stop();
    // The plant last: to a machine, the platform goes, not the other way round.
    await server.stop();
    await demo?.stop();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
}

function demoOf(server: RunningServer, dataDir: string): Demo | null {
  if (!existsSync(join(root, "simulation", "main.ts"))) {
    server.log.warn("There is no simulation in this installation; the demo stays empty.");
    return null;
  }
  const source = server.createKey("demo plant", "source");
  const engineer = server.createKey("demo engineer", "engineer");
  const { url, mqttUrl, log } = server;
  return startDemo({ root, dataDir, url, mqttUrl, keys: { source, engineer }, log });
}

/** Who may disturb the plant: only this machine, and with the token. */
function sayFaults(faults: { url: string; token: string }): void {
  if (process.env.LINESHAFT_READY_JSON === "1") process.stdout.write(`${JSON.stringify({ event: "plant", faults })}\n`);
  else process.stdout.write(`  The plant is live. Its fault menu: ${faults.url} with token ${faults.token}\n\n`);
}

/** What a person needs to begin; with LINESHAFT_READY_JSON=1 one JSON line for programs. */
function say(server: RunningServer, demoSecret: string | null): void {
  const secret = demoSecret ?? server.adminSecret;
  if (process.env.LINESHAFT_READY_JSON === "1") {
    const line = { event: "ready", url: server.url, mqtt: server.mqttUrl, pid: process.pid, adminSecret: secret };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const lines = ["", `  Lineshaft ${version}  ${server.url}`, ""];
  if (server.mqttUrl !== null) lines.splice(2, 0, `  MQTT           ${server.mqttUrl}`);
  if (demoSecret !== null) lines.push(`  Sign in with   ${demoSecret}`, "  (the demo listens on this machine only)");
  else if (secret !== null) lines.push(`  Admin secret   ${secret}`, "  It is shown this once. Keep it.");
  process.stdout.write(`${lines.join("\n")}\n\n`);
}

/** The console, built once and again when its sources change; without ui/ the server serves the API alone. */
async function consoleBuild(): Promise<string | undefined> {
  const builder = join(root, "ui", "build.ts");
  if (!existsSync(builder) || process.env.LINESHAFT_CONSOLE === "none") return undefined;
  const { buildConsole } = (await import(builder)) as { buildConsole: () => Promise<void> };
  await buildConsole();
  return join(root, "ui", "dist");
}

async function main(): Promise<void> {
  const [command = "help", ...args] = process.argv.slice(2);
  switch (command) {
    case "up":
    case "demo":
      return serve(command, args);
    case "verify":
      process.exitCode = await verify(args, process.env);
      return;
    case "check":
    case "plan":
    case "apply":
    case "export":
      process.exitCode = await configurationCommands[command](args, process.env);
      return;
    case "record":
    case "replay":
      process.exitCode = await captureCommands[command](args, process.env);
      return;
    case "version":
      process.stdout.write(`${version}\n`);
      return;
    case "help":
    case "--help":
      process.stdout.write(usage());
      return;
    default:
      throw new UsageError(`There is no command "${command}".`);
  }
}

main().catch((error: unknown) => {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${usage()}`);
  else if (error instanceof ProblemError) process.stderr.write(`${error.message}\n${error.toProblem().action}\n`);
  else process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
});
