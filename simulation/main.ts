/**
 * The simulated plant as a process of its own: it plays two lines (plant/) and sends them to a platform through the SDK, as any source would.
 * `node simulation/main.ts --url http://127.0.0.1:8750 [--seed 1] [--speed 1] [--history-minutes 120]`, API key in LINESHAFT_KEY.
 */
import { fstatSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectLineshaft, UnreachableError } from "@lineshaft/client";
import { type Micros, minuteUs, ProblemError } from "@lineshaft/contract/api";
import { lineKinds, PlantLine } from "./plant/index.ts";
import { registerPlant } from "./register.ts";
import { type PlantClock, Source, type Uplink, type Waiting } from "./source.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:8750" },
    seed: { type: "string", default: "1" },
    speed: { type: "string", default: "1" },
    "history-minutes": { type: "string", default: "120" },
  },
});

function refuse(text: string): never {
  process.stderr.write(`simulation: ${text}\n`);
  process.exit(2);
}

function numberFrom(name: "seed" | "speed" | "history-minutes", low: number, high: number): number {
  const number = Number(values[name]);
  if (Number.isFinite(number) && number >= low && number <= high) return number;
  return refuse(`--${name} must be a number from ${low} to ${high}; it is "${values[name]}".`);
}

const seed = numberFrom("seed", 0, 2 ** 31);
const speed = numberFrom("speed", 0.1, 50);
const historyUs = numberFrom("history-minutes", 0, 8 * 60) * minuteUs;
const key = process.env.LINESHAFT_KEY ?? refuse("LINESHAFT_KEY is not set; give it an API key with the role engineer.");

const say = (text: string): void => void process.stderr.write(`simulation: ${text}\n`);

// A plant at speed 10 lives ten hours in one, but its controllers stamp true time: a platform rightly doubts times in the future. The mapping has a
// fixed origin, so that it is the same after a restart.
const originUs = Date.UTC(2026, 0, 1) * 1000;
const clock: PlantClock = {
  nowUs: (): Micros => Math.floor(originUs + (Date.now() * 1000 - originUs) * speed),
  stampUs: (modelUs) => Math.floor(originUs + (modelUs - originUs) / speed),
};

const waiting: Waiting = {
  sleep: (ms, until) => delay(ms, undefined, { signal: until }).catch(() => undefined),
  alarm: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

const platform = connectLineshaft({ url: values.url, key });
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

const sources = lineKinds.map(
  (kind) =>
    new Source({
      uplink: uplinkOf(kind.connection),
      clock,
      waiting,
      lineAt: (fromUs) => new PlantLine(kind, seed, fromUs),
      speed,
      historyUs: historyUs * speed,
      say,
    }),
);

/** Data first: the tree may come a moment later, and a platform that cannot take it now may be able to in a while. */
async function registerForEver(): Promise<void> {
  const lines = lineKinds.map((kind) => new PlantLine(kind, seed, clock.nowUs()));
  let said = "";
  while (!signal.aborted) {
    try {
      const { created, assigned } = await registerPlant(platform, lines, signal);
      if (created + assigned > 0) say(`created ${created} equipment, assigned ${assigned} tags.`);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ProblemError) {
        if (error.code !== said) say(`equipment and tags: ${error.message}`);
        said = error.code;
        // Without the right to configure, data flow all the same; the tags then stay unassigned.
        if (error.code === "forbidden") return;
      } else if (!(error instanceof UnreachableError)) throw error;
      await waiting.sleep(1_000 + 2_000 * Math.random(), signal);
    }
  }
}

say(`${lineKinds.length} lines, seed ${seed}, speed ${speed}, to ${values.url}`);
await Promise.all([...sources.map((source) => source.run(signal)), registerForEver()]);
say(`stopped; sent ${sources.reduce((sum, { sums }) => sum + sums.sent, 0)} datapoints.`);
process.exit(0);
