// The demo as `npm start` runs it: a plant in a process of its own, whose machines speak their protocols to the server and are connected through the public API.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Alarm,
  type Cell,
  type Cells,
  type Certificates,
  type Configuration,
  type Connection,
  type Equipment,
  type EquipmentNow,
  type LastValue,
  type RawTag,
  statusBadNoCommunication,
} from "@lineshaft/contract/api";
import { readConfiguration } from "@lineshaft/platform/configuration";
import { lineKinds, PlantLine } from "@lineshaft/simulation/plant";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rest } from "./support/rest.ts";
import { ServerProcess, tempDir } from "./support/server-process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dir = tempDir();
let server: ServerProcess;
let rest: Rest;
let faults: { url: string; token: string };
let startedUs = 0;

const kinds: Record<string, string> = {
  "northfield-bottling-1": "http",
  "northfield-edge-node": "sparkplug-broker",
  "northfield-packer-1": "opcua",
  "eastgate-press-1": "modbus",
  "eastgate-machining-centre-1": "opcua",
  "eastgate-gateway": "mqtt-broker",
  "northfield-film-3": "http",
  "eastgate-assembly-4": "http",
};
const minuteUs = 60_000_000;
const bowlPressure = "Northfield/Bottling-1/Filler1/PV/BowlPressure";
const nowUs = (): number => Date.now() * 1000;
/** A cut that lasts until it is ended: by one that is over at once. */
const long = { seconds: 3600 };
const over = { seconds: 0.1 };

/** Longer than anybody needs: a slow machine tells eight hours of history for minutes. */
const longestMs = 240_000;

async function until<T>(what: string, look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  const end = performance.now() + longestMs;
  for (;;) {
    const found = await look();
    if (holds(found)) return found;
    if (performance.now() > end)
      throw new Error(`${what} did not happen; it is ${JSON.stringify(found)}\n${server.stderr}`);
    await sleep(100);
  }
}

async function start(): Promise<void> {
  const began = performance.now();
  startedUs = nowUs();
  server = await ServerProcess.start({ dataDir: dir.path, command: "demo" });
  rest = new Rest(server.url, server.adminSecret ?? "");
  const readyMs = performance.now() - began;
  const ended = server.exited.then(() => Promise.reject(new Error(`The demo ended:\n${server.stderr}`)));
  faults = await Promise.race([server.plant, ended]);
  ended.catch(() => undefined);
  console.log(
    `demo: ready after ${Math.round(readyMs)} ms, its plant after ${Math.round(performance.now() - began)} ms`,
  );
}

const tags = async (query = ""): Promise<RawTag[]> =>
  (await rest.get<{ items: RawTag[] }>(`/api/v1/tags?limit=1000${query}`)).items;

async function values(): Promise<Map<string, LastValue & RawTag>> {
  const known = await tags();
  if (known.length === 0) return new Map();
  const query = known.map(({ id }) => `tag=${id}`).join("&");
  const { items } = await rest.get<{ items: LastValue[] }>(`/api/v1/values?${query}`);
  const byTag = new Map(items.map((item) => [item.tag, item]));
  return new Map(
    known.flatMap((tag) => {
      const value = byTag.get(tag.id);
      return value === undefined ? [] : [[tag.address, { ...tag, ...value }] as const];
    }),
  );
}

const configuration = async (): Promise<{ etag: string; body: Configuration }> => {
  const { etag, body } = await rest.request<Configuration>("GET", "/api/v1/configuration");
  return { etag, body };
};

async function order(machine: string, fault: string, numbers: Record<string, number>): Promise<void> {
  const answer = await fetch(faults.url, {
    method: "POST",
    headers: { authorization: `Bearer ${faults.token}` },
    body: JSON.stringify({ machine, fault, ...numbers }),
  });
  expect(answer.status, await answer.text()).toBe(202);
}

/** Every connection that has a health is well, and every tag that is configured has a good value. */
const allWell = () =>
  until(
    "that everything flows",
    async () => {
      const { items } = await rest.get<{ items: Connection[] }>("/api/v1/connections");
      const entries = (await configuration()).body.connections?.flatMap(({ tags: list = [] }) => list) ?? [];
      const seen = await values();
      return {
        ill: items.filter(({ health }) => health !== undefined && health !== null && health.state !== "flowing"),
        configured: entries.length,
        bad: entries.filter(({ address }) => seen.get(address)?.status !== 0).map(({ address }) => address),
      };
    },
    ({ ill, bad, configured }) => configured > 0 && ill.length === 0 && bad.length === 0,
  );

/** Time in a shift and for an order: in a break too, when machines stand and nothing is expected of them. */
const isPlaced = ({ shift, order }: Cell): boolean => shift !== null && order !== null;

interface Truth {
  oee: { all: { good: number; aptUs: number } };
  alarms: { code: number; fromUs: number; toUs: number }[];
}

const truthOf = async (equipment: string, fromUs: number, toUs: number): Promise<Truth["oee"]["all"]> =>
  (await trueOf(equipment, fromUs, toUs)).oee.all;

async function trueOf(equipment: string, fromUs: number, toUs: number): Promise<Truth> {
  const query = new URLSearchParams({ equipment, from: String(fromUs), to: String(toUs) });
  const answer = await fetch(`${faults.url.replace("/faults", "/truth")}?${query}`, {
    headers: { authorization: `Bearer ${faults.token}` },
  });
  const body = (await answer.json()) as Truth;
  expect(answer.status, JSON.stringify(body)).toBe(200);
  return body;
}

/** Points of a tag, by address, in a range. */
async function points(address: string, fromUs: number, toUs: number): Promise<{ time: number; status: number }[]> {
  const { id } = (await tags()).find((tag) => tag.address === address)!;
  const page = await rest.get<{ rows: number; time: number[]; status: number[] }>(
    `/api/v1/history/raw?tag=${id}&from=${fromUs}&to=${toUs}&limit=10000`,
  );
  return page.time.map((time, i) => ({ time, status: page.status?.[i] ?? 0 }));
}

describe("the demo plant's configuration", () => {
  const folder = join(root, "simulation", "configuration");
  const sources = readdirSync(folder).map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
  const { configuration: plant, problems } = readConfiguration(sources, { env: () => "4840" });

  it("is without mistakes, and binds every tag to a property of the same unit", () => {
    expect(problems).toEqual([]);
    const models = new Map(plant?.models?.map((model) => [`${model.name}@${model.version}`, model]));
    const modelAt = new Map(plant?.equipment?.map(({ path, model }) => [path, models.get(model ?? "")]));
    for (const { name, tags: entries = [] } of plant?.connections ?? [])
      for (const { address, equipment, unit, bind = [] } of entries) {
        const property = modelAt.get(equipment ?? "")?.properties.find((each) => each.name === bind[0]?.property);
        expect(property, `${name} ${address}`).toBeDefined();
        expect(property?.unit, address).toBe(unit);
      }
  });

  it("names what the machines have under their names, units and places", () => {
    const signals = lineKinds.flatMap((kind) => [...new PlantLine(kind, 1, nowUs()).signals]);
    const configured = (plant?.connections ?? []).flatMap(({ kind, tags: entries = [] }) =>
      // The press's registers have no names.
      kind === "modbus" ? [] : entries,
    );
    const plain = (address: string): string =>
      address
        .replace("nsu=urn:lineshaft:simulation:plant;s=", "")
        .replace("Northfield/Bottling-1/", "")
        .replace(/\/value$/, "")
        .replaceAll("/", ".");
    const expected = signals
      .filter(({ address }) => !/^Press1|^(MC1|Packer1)\..*(StateName|ItemState|OperationMode)$/.test(address))
      .map(({ address, name, unit, equipment }) => [address, name, unit ?? undefined, equipment.join("/")]);
    expect(
      configured.map(({ address, name, unit, equipment }) => [plain(address), name, unit, equipment]).toSorted(),
    ).toEqual(expected.toSorted());
  });
});

describe("the demo", { timeout: 2 * longestMs }, () => {
  beforeAll(start, longestMs);
  afterAll(async () => {
    await server?.kill("SIGTERM");
    dir.remove();
  });

  it("connects every machine by its protocol: all connections flow, every tag has its value, unit and place", async () => {
    const { items } = await rest.get<{ items: Connection[] }>("/api/v1/connections");
    expect(Object.fromEntries(items.map(({ name, kind }) => [name, kind]))).toEqual(kinds);
    await allWell();
    const entries = (await configuration()).body.connections?.flatMap(({ tags: list = [] }) => list) ?? [];
    const seen = await values();
    for (const { address, unit = null, name } of entries)
      expect(seen.get(address), address).toMatchObject({ unit, name, equipmentId: expect.any(Number), status: 0 });
  });

  it("F26: what the edge node kept before it was heard follows its births, without a hole", async () => {
    const now = nowUs();
    const from = now - 29 * minuteUs;
    await until(
      "half an hour of history",
      async () => {
        const times = (await points(bowlPressure, from, now)).map(({ time }) => time);
        return { rows: times.length, pauseUs: longestPauseUs([from, ...times, now].map((time) => ({ time }))) };
      },
      ({ pauseUs }) => pauseUs < 5_000_000,
    );
  });

  it("trusts the machines' certificate by its thumbprint, and no other", async () => {
    const look = () => rest.get<Certificates>("/api/v1/connection-kinds/opcua/certificates");
    const store = await until("the trust", look, ({ trusted }) => trusted.length > 0);
    expect(store.trusted.map(({ applicationUri }) => applicationUri)).toEqual(["urn:lineshaft:simulation"]);
    expect(store.rejected).toEqual([]);
  });

  it("lives: values of every connection change, with the source's time", async () => {
    const before = await values();
    const changed = new Set<string>();
    await until(
      "a change on every connection",
      async () => {
        // The HTTP gateway may still be telling its past.
        for (const [address, { value, connection, time }] of await values())
          if (value !== before.get(address)?.value && Math.abs((time ?? 0) - nowUs()) < minuteUs)
            changed.add(connection);
        return [...changed];
      },
      (found) => found.length === Object.keys(kinds).length,
    );
  });

  it("knows at every machine what it does, for which order, in which shift; and by what was told it comes out as it was", async () => {
    const toUs = Math.floor((nowUs() - minuteUs) / (15 * minuteUs)) * 15 * minuteUs;
    // Of two lines hours are told; of the edge node's machines what it had kept, which may be a quarter of an hour.
    const [hours, kept] = [/Film line 3|Assembly line 4/, /Filler 1|Capper 1|Labeller 1/];
    const keptSinceUs = startedUs - 28 * minuteUs;
    const { items } = await rest.get<{ items: Equipment[] }>("/api/v1/equipment?limit=1000");
    const units = items.filter(({ level }) => level === "workUnit");
    expect(units).toHaveLength(24);
    const cellsOf = async ({ id }: Equipment, from: number, to: number): Promise<Cell[]> =>
      (await rest.get<Cells>(`/api/v1/equipment/${id}/cells?from=${from}&to=${to}`)).cells;
    const known = async () => {
      const now = nowUs();
      const last = await Promise.all(units.map((unit) => cellsOf(unit, now - 15 * minuteUs, now)));
      const { items: present } = await rest.get<{ items: EquipmentNow[] }>("/api/v1/now?limit=1000");
      const does = new Set(present.flatMap(({ equipmentId, state }) => (state?.itemState ? [equipmentId] : [])));
      return units.filter(({ id }, i) => !does.has(id) || !last[i].some(isPlaced)).map(({ path }) => path);
    };
    await until("that every machine is known", known, (unknown) => unknown.length === 0);
    /** What is not as it was, in words. Two hours of history are derived while the first cells can be read already. */
    const wrong = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const unit of units) {
        const beganUs = hours.test(unit.path) ? toUs - 60 * minuteUs : toUs - 15 * minuteUs;
        if (!hours.test(unit.path) && !(kept.test(unit.path) && beganUs >= keptSinceUs)) continue;
        const cells = await cellsOf(unit, beganUs, toUs);
        const was = await truthOf(unit.path, beganUs, toUs);
        const sum = (of: (cell: Cell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
        const good = sum(({ quantities }) => Object.values(quantities).reduce((total, { gq }) => total + gq, 0));
        if (!(Math.abs(good - was.good) < 1e-6)) found.push(`${unit.path}: good ${good}, not ${was.good}`);
        const apt = sum(({ timeUs }) => timeUs.apt);
        if (apt !== was.aptUs) found.push(`${unit.path}: ${apt} µs, not ${was.aptUs}`);
      }
      return found;
    };
    await until("that all is as it was", wrong, (found) => found.length === 0);
  });

  it("tells alarms as the controllers had them: which, since when and until when", async () => {
    // What the edge node had kept; at a few times of day there was no alarm in it.
    const [fromUs, toUs] = [nowUs() - 25 * minuteUs, nowUs() - minuteUs];
    const within = (from: number | null, to: number | null): boolean =>
      from !== null && to !== null && from > fromUs + 1_000_000 && to < toUs;
    const line = "Northfield/Filling/Bottling line 1";
    const wrong = async (): Promise<string[]> => {
      const query = `equipment=${encodeURIComponent(line)}&from=${fromUs}&to=${toUs}&limit=1000`;
      const { items } = await rest.get<{ items: Alarm[] }>(`/api/v1/facts/alarms?${query}`);
      const found: string[] = [];
      for (const name of ["Filler 1", "Capper 1", "Labeller 1"]) {
        const path = `${line}/${name}`;
        const told = items
          .filter((each) => each.path === path && within(each.sinceUs, each.untilUs))
          .sort((a, b) => (a.sinceUs ?? 0) - (b.sinceUs ?? 0));
        const was = (await trueOf(path, fromUs, toUs)).alarms.filter((each) => within(each.fromUs, each.toUs));
        if (told.map(({ code }) => code).join() !== was.map(({ code }) => code).join())
          found.push(`${name}: ${told.map(({ code }) => code)}, not ${was.map(({ code }) => code)}`);
        else
          for (const [i, { sinceUs, untilUs, text }] of told.entries()) {
            const off = Math.max(Math.abs((sinceUs ?? 0) - was[i].fromUs), Math.abs((untilUs ?? 0) - was[i].toUs));
            // A controller's scan is up to 4 ms late.
            if (off > 5_000) found.push(`${name}: alarm ${i} is ${off} µs off`);
            if (text.de === text.en) found.push(`${name}: alarm ${i} says in German ${text.de}`);
          }
      }
      return found;
    };
    await until("that alarms are as they were", wrong, (found) => found.length === 0);
  });

  it("shows its fault menu to those who have the token only", async () => {
    expect((await fetch(faults.url)).status).toBe(401);
    const answer = await fetch(faults.url, { headers: { authorization: `Bearer ${faults.token}` } });
    const menu = (await answer.json()) as { machines: { machine: string; protocol: string; faults: string[] }[] };
    const protocols = new Map(menu.machines.map(({ machine, protocol }) => [machine, protocol]));
    expect(new Set(protocols.values())).toEqual(new Set(["http", "mqtt", "sparkplug", "opcua", "modbus"]));
    for (const { faults: offered } of menu.machines) expect(offered).toContain("cut");
  });

  it.each([
    ["F1: Modbus", "Press1", "eastgate-press-1", "holding:12:float32"],
    ["F2: OPC UA", "Packer1", "northfield-packer-1", "nsu=urn:lineshaft:simulation:plant;s=Packer1.PV.GripperVacuum"],
  ])("%s: a pulled cable is seen, marked and recovered from", async (_, machine, connection, address) => {
    const fromUs = nowUs();
    await order(machine, "cut", long);
    const health = () => rest.get<Connection>(`/api/v1/connections/${connection}`);
    await until("the loss", health, (found) => found.health?.state !== "flowing");
    await until("the mark", values, (found) => found.get(address)?.status === statusBadNoCommunication);
    await order(machine, "cut", over);
    await until("the recovery", health, (found) => found.health?.state === "flowing");
    await until("good values", values, (found) => found.get(address)?.status === 0);
    await rest.settle();
    if (machine === "Press1") {
      // A device without memory: what was not read is gone, and that is on record.
      const gaps = () => rest.get<{ items: { connection: string; fromUs: number }[] }>("/api/v1/gaps?limit=100");
      await until("the gap", gaps, ({ items }) => items.some((gap) => gap.connection === connection));
    } else {
      // The server kept what it saw: nothing is missing. It is read five times a second.
      const seen = (await points(address, fromUs, nowUs())).filter(({ status }) => status === 0);
      expect(longestPauseUs(seen)).toBeLessThan(5_000_000);
    }
  });

  it("F21: a Sparkplug device that dies is marked, comes back by its birth, and what it stored follows", async () => {
    await order("Filler1", "cut", long);
    const dead = await until(
      "the death",
      values,
      (found) => found.get(bowlPressure)?.status === statusBadNoCommunication,
    );
    expect(dead.get("Northfield/Bottling-1/Capper1/PV/HopperLevel")?.status).toBe(0);
    await order("Filler1", "cut", over);
    await until("the birth", values, (found) => found.get(bowlPressure)?.status === 0);

    await order("Bottling-1", "cut", long);
    await until("the will", values, (found) =>
      [...found.values()]
        .filter(({ connection }) => connection === "northfield-edge-node")
        .every(({ status }) => status === statusBadNoCommunication),
    );
    await order("Bottling-1", "cut", over);
    await until("the births", values, (found) =>
      [...found.values()]
        .filter(({ connection }) => connection === "northfield-edge-node")
        .every(({ status }) => status === 0),
    );
  });

  it.each([
    ["F5: MQTT", "IMM1", "IMM1/MeltTemperature/value", 3_500_000],
    ["F5: HTTP", "Line1", "Line1.Energy.ActivePower", 3_500_000],
  ])("%s: what a gateway could not send it sends afterwards, once", async (_, machine, address, pauseUs) => {
    const cutUs = nowUs();
    await order(machine, "cut", long);
    // Longer without a value than it is ever silent by itself: so it was cut.
    await until("the silence", values, (found) => nowUs() - (found.get(address)?.time ?? 0) > pauseUs);
    await order(machine, "cut", over);
    const backUs = nowUs();
    await until("the return", values, (found) => (found.get(address)?.time ?? 0) > backUs);
    await rest.settle();
    const seen = await points(address, cutUs - 5_000_000, backUs);
    expect(new Set(seen.map(({ time }) => time)).size).toBe(seen.length);
    expect(longestPauseUs(seen)).toBeLessThan(pauseUs);
  });

  it("F19, F20, F24: repeats, late values and a burst change no sum", async () => {
    await Promise.all([
      order("Filler1", "duplicate", { seconds: 2 }),
      order("Capper1", "delay", { seconds: 2, delaySeconds: 1 }),
      order("MC1", "burst", { seconds: 2, factor: 10 }),
      order("IMM1", "reorder", { seconds: 2 }),
      order("Line1", "duplicate", { seconds: 10 }),
    ]);
    const before = (await rest.system()).sums;
    await until(
      "repeats that are known as such",
      () => rest.system(),
      ({ sums }) => sums.duplicates > before.duplicates,
    );
    await allWell();
    expect((await rest.settle()).balanced).toBe(true);
  });

  it("a server that ends and starts again has the same plant, at its new addresses, with what people changed", async () => {
    const { etag, body } = await configuration();
    for (const connection of body.connections ?? []) {
      if (connection.name === "eastgate-press-1") connection.config = { ...connection.config, periodMs: 400 };
      if (connection.name === "eastgate-gateway")
        connection.tags = connection.tags?.filter(({ address }) => address !== "IMM1/CycleTime/value");
      for (const tag of connection.tags ?? []) if (tag.address === "coil:0") tag.name = "Press runs";
    }
    const put = await rest.request("PUT", "/api/v1/configuration", body, { "if-match": etag });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    const endpoint = (found: Configuration) =>
      found.connections?.find(({ name }) => name === "northfield-packer-1")?.config?.endpointUrl;

    const stoppedUs = nowUs();
    await server.kill("SIGTERM");
    await start();
    const after = (await configuration()).body;
    expect(endpoint(after)).not.toBe(endpoint(body));
    const addressless = (found: Configuration) => ({
      ...found,
      connections: found.connections?.map(({ config: { port: _, endpointUrl: __, ...config } = {}, ...rest }) => ({
        ...rest,
        config,
      })),
    });
    expect(addressless(after)).toEqual(addressless(body));
    const startedUs = nowUs();
    await until("a new value on every connection", values, (found) => {
      const fresh = [...found.values()].filter(({ time, status }) => (time ?? 0) > startedUs && status === 0);
      return new Set(fresh.map(({ connection }) => connection)).size === Object.keys(kinds).length;
    });
    // The edge node kept what it could not send meanwhile.
    const around = () => points(bowlPressure, stoppedUs - 5_000_000, nowUs());
    const good = (seen: { time: number; status: number }[]) => seen.filter(({ status }) => status === 0);
    await until("what was kept", around, (seen) => good(seen).length > 20 && longestPauseUs(good(seen)) < 5_000_000);
  });

  it("a kill leaves no plant behind, and the next start goes on", async () => {
    await server.kill("SIGKILL");
    await until(
      "the end of the simulation",
      () =>
        fetch(faults.url).then(
          () => "answers",
          () => "gone",
        ),
      (found) => found === "gone",
    );
    await start();
    await until("good values", values, (found) => {
      const good = [...found.values()].filter(({ status, time }) => status === 0 && nowUs() - (time ?? 0) < minuteUs);
      return new Set(good.map(({ connection }) => connection)).size === Object.keys(kinds).length;
    });
  });

  it("and the sums hold", async () => {
    const { code, text } = await new Promise<{ code: number; text: string }>((resolve) => {
      const args = ["host/main.ts", "verify", "--settle", "--url", server.url];
      const env = { ...process.env, LINESHAFT_KEY: server.adminSecret ?? "" };
      execFile(process.execPath, args, { cwd: root, env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), text: out + err }),
      );
    });
    expect(code, text).toBe(0);
  });
});

function longestPauseUs(seen: readonly { time: number }[]): number {
  const times = seen.map(({ time }) => time).toSorted((a, b) => a - b);
  if (times.length < 2) return Infinity;
  return Math.max(...times.slice(1).map((time, i) => time - times[i]));
}
