import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultMenu } from "./fault-menu.ts";
import { serveFaults } from "./faults.ts";
import { parseOptions } from "./options.ts";
import { Disturbances } from "./protocols/disturbance.ts";
import { type FaultKind, faultKinds } from "./protocols/end.ts";

const ordered: [string, FaultKind, number][] = [];
const press = {
  protocol: "modbus" as const,
  faultsOf: () => faultKinds.filter((kind) => kind !== "rebirth"),
  fault: (machine: string, kind: FaultKind, ms: number) => {
    if (kind !== "cut" && kind !== "restart") return null;
    ordered.push([machine, kind, ms]);
    return ["Press1", "Press2"];
  },
};
const menu = new FaultMenu({
  speakers: new Map([["Press1", press]]),
  disturbances: new Disturbances(() => 0),
  nowMs: () => 0,
  office: {
    machines: ["Press1"],
    bookLate: (machine, ms) => ordered.push([machine, "cut", -ms]),
    moveShift: () => null,
  },
});

describe("ordering a fault", () => {
  it.each([
    [{ machine: "Press1", fault: "cut", seconds: 1.5 }, 202],
    [{ machine: "Press1", fault: "freeze" }, 202],
    [{ machine: "Press1", fault: "skew", seconds: 1, skewSeconds: -30 }, 202],
    [{ machine: "Press1", fault: "counterReset" }, 202],
    [{ machine: "Press1", fault: "rebirth" }, 422],
    [{ machine: "Press9", fault: "cut", seconds: 1 }, 404],
    [{ machine: "Press1", fault: "explode", seconds: 1 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: 0 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: 3601 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: "1" }, 400],
    [{ machine: "Press1", fault: "cut", factor: 3 }, 400],
    [{ machine: "Press1", fault: "burst", factor: 1000 }, 400],
    [{ machine: "Press1", fault: "cut", __proto__: 3, constructor: 1 }, 400],
    [{ machine: { toString: 1 }, fault: "cut", seconds: 1 }, 404],
    [null, 400],
  ])("%j is answered by %i", (body, status) => {
    expect(menu.order(body).status).toBe(status);
  });

  it("says who is hit, and nothing else was begun", () => {
    expect(menu.order({ machine: "Press1", fault: "restart", seconds: 2 }).body).toMatchObject({
      affected: ["Press1", "Press2"],
    });
    expect(ordered).toEqual([
      ["Press1", "cut", 1500],
      ["Press1", "restart", 2000],
    ]);
  });
});

describe("the fault API", () => {
  let api: Awaited<ReturnType<typeof serveFaults>>;
  beforeAll(async () => {
    api = await serveFaults({
      menu,
      port: 0,
      token: "let-it-break",
      truth: (query) => ({ status: 200, body: query.get("equipment") }),
      say: () => undefined,
    });
  });
  afterAll(() => api.close());
  const call = (init: RequestInit = {}, path = "/faults", token = "let-it-break") =>
    fetch(`http://127.0.0.1:${api.port}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

  it("shows the menu and takes orders, with the token only", async () => {
    const shown = (await (await call()).json()) as Record<string, { fault: string; parameters: object }[]>;
    expect(shown.machines).toEqual([
      { machine: "Press1", protocol: "modbus", faults: [...press.faultsOf(), "bookLate", "moveShift"] },
    ]);
    expect(shown.faults.map(({ fault }) => fault).toSorted()).toEqual(
      [...faultKinds, "bookLate", "moveShift"].toSorted(),
    );
    expect(shown.faults.find(({ fault }) => fault === "burst")).toMatchObject({
      text: expect.any(String),
      parameters: { seconds: { minimum: 0.1, maximum: 3600, default: 10 }, factor: { minimum: 2, default: 10 } },
    });
    expect(shown.active).toContainEqual(expect.objectContaining({ machine: "Press1", fault: "cut", secondsLeft: 1.5 }));
    const body = JSON.stringify({ machine: "Press1", fault: "cut", seconds: 1 });
    expect((await call({ method: "POST", body })).status).toBe(202);
    expect((await call({ method: "POST", body }, "/faults", "guessed")).status).toBe(401);
    expect((await call({ method: "POST", body }, "/faults", "")).status).toBe(401);
  });

  it.each([
    [{ method: "POST", body: "not JSON" }, "/faults", 400],
    [{ method: "POST", body: "x".repeat(5000) }, "/faults", 413],
    [{ method: "DELETE" }, "/faults", 405],
    [{}, "/lies", 404],
  ])("refuses %j on %s", async (init, path, status) => {
    expect((await call(init, path)).status).toBe(status);
  });
});

describe("the command line", () => {
  it("by default everything goes over HTTP, as before", () => {
    expect(parseOptions([])).toMatchObject({ protocols: new Set(["http"]), seed: 1, speed: 1, opcuaPort: 0 });
    expect(parseOptions(["--protocols", "http,opcua, modbus"]).protocols).toEqual(new Set(["http", "opcua", "modbus"]));
  });

  it.each([
    [["--protocols", "http,profibus"], /--protocols takes http/],
    [["--opcua-port", "70000"], /--opcua-port/],
    [["--speed", ""], /--speed/],
    [["--sped", "1"], /--sped/],
  ])("%j is refused with words", (args, words) => {
    expect(() => parseOptions(args)).toThrow(words);
  });
});
