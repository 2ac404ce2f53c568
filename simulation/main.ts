/**
 * The simulated plant as a process of its own: it plays four lines (plant/). Which machine speaks what is in plant/wiring.ts; what is not on as a protocol of
 * its own goes to the platform through the SDK, as any source would.
 * `node simulation/main.ts --url http://127.0.0.1:8750 [--seed 1] [--speed 1] [--history-minutes 120] [--backlog-minutes 0]`
 * `[--protocols http,mqtt,sparkplug,opcua,modbus]`
 * `[--mqtt-url mqtt://127.0.0.1:1883] [--primary-host id] [--opcua-port 0] [--modbus-port 0] [--fault-port 0] [--state-dir folder]`, LINESHAFT_KEY holds the API
 * key, which is the password at the broker too.
 * LINESHAFT_OFFICE_KEY is an engineer's key: with it the plant's people set the platform up and book orders (office/).
 * LINESHAFT_SIMULATION_TOKEN opens the fault API (faults.ts), LINESHAFT_SIMULATION_OPCUA_USER=name:password a user on the OPC UA server. The ports that
 * were chosen, and the thumbprint of the OPC UA server's certificate, are one line of JSON on standard output:
 * `{"simulation":"ready","ports":{"opcua":…,"modbus":…,"faults":…},"opcuaThumbprint":"…"}`.
 */
import { fstatSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { connectLineshaft } from "@lineshaft/client";
import { type Micros, ProblemError } from "@lineshaft/contract/api";
import { FaultMenu, type Speaker } from "./fault-menu.ts";
import { serveFaults } from "./faults.ts";
import { Office } from "./office/office.ts";
import { Planner } from "./office/planning.ts";
import { OptionError, parseOptions } from "./options.ts";
import { lineKinds, machineSheets, PlantLine, shiftsOf } from "./plant/index.ts";
import { partOfLine } from "./plant/part-of-line.ts";
import { machinesOn } from "./plant/wiring.ts";
import { PlantFloor } from "./plant-floor.ts";
import { Disturbances } from "./protocols/disturbance.ts";
import type { Waiting } from "./protocols/end.ts";
import { HttpGateway } from "./protocols/http-gateway.ts";
import { type PlantClock, Source, type Uplink } from "./source.ts";
import { answerTruth, type TruthParts } from "./truth/truth-api.ts";
import { TruthBook } from "./truth/truth-book.ts";

function refuse(text: string): never {
  process.stderr.write(`simulation: ${text}\n`);
  process.exit(2);
}

function optionsOrRefuse() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (error instanceof OptionError || error instanceof TypeError) return refuse(error.message);
    throw error;
  }
}

const options = optionsOrRefuse();
const { seed, speed, historyUs } = options;
const overHttp = machinesOn("http", options.protocols);
const key = process.env.LINESHAFT_KEY ?? "";
if (key === "" && overHttp.size > 0) refuse("LINESHAFT_KEY is not set; give it an API key with the role source.");

const say = (text: string): void => void process.stderr.write(`simulation: ${text}\n`);

// A plant at speed 10 lives ten hours in one, but its controllers stamp true time: a platform rightly doubts times in the future. The mapping has a
// fixed origin, so that it is the same after a restart.
const originUs = Date.UTC(2026, 0, 1) * 1000;
const modelUs = (trueMs: number): Micros => Math.floor(originUs + (trueMs * 1000 - originUs) * speed);
const clock: PlantClock = {
  nowUs: () => modelUs(Date.now()),
  stampUs: (modelUs) => Math.floor(originUs + (modelUs - originUs) / speed),
};

const waiting: Waiting = {
  sleep: (ms, until) => delay(ms, undefined, { signal: until }).catch(() => undefined),
  alarm: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

const platform = connectLineshaft({ url: options.url, key });
const stopping = new AbortController();
const { signal } = stopping;
const stop = (): void => {
  stopping.abort();
  platform.close();
};
for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, stop);
// A server that started us holds the other end of our standard input: when it dies, also by SIGKILL, no plant is left running. (A shell gives a terminal,
// a file or a FIFO, never a socket.)
if (fstatSync(0).isSocket()) process.stdin.on("end", stop).resume();

/** One request in flight: so the rows of a line arrive in order. */
function uplinkOf(connection: string): Uplink {
  const writer = platform.writer(connection, { inFlight: 1 });
  return {
    connection,
    cursor: async () => {
      try {
        return (await platform.call("getSourceCursor", { params: { connection }, signal })).sourceCursor;
      } catch (error) {
        if (error instanceof ProblemError && error.code === "not_found") return null;
        throw error;
      }
    },
    write: (batch, cursor) => writer.write(batch, cursor),
  };
}

const nowMs = Date.now;
const disturbances = new Disturbances(nowMs);
const speakers = new Map<string, Speaker>();

const gateways = lineKinds.flatMap((kind) => {
  const machines = overHttp.get(kind.connection);
  if (machines === undefined) return [];
  const names = new Set(machines);
  const gateway = new HttpGateway(machines, nowMs);
  for (const machine of machines) speakers.set(machine, gateway);
  const lineAt = (fromUs: Micros) => partOfLine(new PlantLine(kind, seed, fromUs), names);
  return [{ connection: kind.connection, gateway, lineAt }];
});

const sources = gateways.map(
  ({ connection, gateway, lineAt }) =>
    new Source({
      uplink: gateway.over(uplinkOf(connection), waiting, signal),
      clock,
      waiting,
      lineAt,
      disturb: (columns, signals) => disturbances.apply(columns, signals),
      speed,
      historyUs: historyUs * speed,
      say,
    }),
);

/** `name:password`; null: anonymous clients only. */
function opcUaUser(): { name: string; password: string } | null {
  const [, name, password] = /^([^:]+):(.+)$/.exec(process.env.LINESHAFT_SIMULATION_OPCUA_USER ?? "") ?? [];
  return name === undefined ? null : { name, password };
}

/** What really happens: played apart from what is told. */
const book = new TruthBook(seed, options.protocols);

/** The people of the plant, if they have a key. A plant that lives faster has no calendar that anybody could share. */
function officeOrNone(): Office | null {
  const officeKey = process.env.LINESHAFT_OFFICE_KEY ?? "";
  if (officeKey === "" || speed !== 1) return null;
  const people = connectLineshaft({ url: options.url, key: officeKey });
  signal.addEventListener("abort", () => people.close());
  const planner = new Planner(new TruthBook(seed));
  return new Office({ platform: people, book, planner, historyUs, nowUs: clock.nowUs, waiting, say });
}

const floor = await PlantFloor.open({
  options,
  clock,
  waiting,
  disturbances,
  // Whoever started us said how much we have kept; until here a slow machine may have taken long.
  startedUs: modelUs(performance.timeOrigin),
  mqttKey: key,
  opcUaUser: opcUaUser(),
  nowMs,
  say,
});
for (const [name, end] of floor.speakers) speakers.set(name, end);
const token = process.env.LINESHAFT_SIMULATION_TOKEN ?? "";
const office = officeOrNone();
const menu = new FaultMenu({
  speakers,
  disturbances,
  nowMs,
  office: office && {
    machines: machineSheets.map(({ machine }) => machine),
    bookLate: (machine, ms) => office.bookLate(machine, ms),
    moveShift: (machine, minutes) => office.moveShift(machine, minutes),
  },
});
const truth: TruthParts = {
  book,
  nowUs: clock.nowUs,
  shiftsOf: (site, from, to) => office?.shiftsOf(site, from, to) ?? shiftsOf(site, from, to),
};
const api = { port: options.faultPort, token, menu, truth: (query: URLSearchParams) => answerTruth(query, truth), say };
const faults = token === "" ? null : await serveFaults(api);
const ports = { ...floor.ports, ...(faults && { faults: faults.port }) };
const { opcuaThumbprint } = floor;
if (Object.keys(ports).length > 0)
  process.stdout.write(`${JSON.stringify({ simulation: "ready", ports, opcuaThumbprint })}\n`);

say(
  `${lineKinds.length} lines, seed ${seed}, speed ${speed}, by ${[...options.protocols].join(", ")}, to ${options.url}`,
);
await Promise.all([...sources.map((source) => source.run(signal)), floor.run(signal), office?.run(signal)]);
await Promise.all([floor.close(), faults?.close()]);
say(`stopped; sent ${sources.reduce((sum, { sums }) => sum + sums.sent, 0)} datapoints by HTTP.`);
process.exit(0);
