import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orderFault, serveFaults } from "./faults.ts";
import { parseOptions } from "./options.ts";
import { Disturbances } from "./protocols/disturbance.ts";
import type { ConnectionFault } from "./protocols/end.ts";

const ordered: [string, ConnectionFault, number][] = [];
const speakers = new Map([
  [
    "Press1",
    {
      fault: (machine: string, kind: ConnectionFault, ms: number) => {
        if (kind === "rebirth") return null;
        ordered.push([machine, kind, ms]);
        return ["Press1", "Press2"];
      },
    },
  ],
]);
const menu = { speakers, disturbances: new Disturbances(() => 0), say: () => undefined };

describe("ordering a fault", () => {
  it.each([
    [{ machine: "Press1", fault: "cut", seconds: 1.5 }, 202],
    [{ machine: "Press1", fault: "freeze", seconds: 1 }, 202],
    [{ machine: "Press1", fault: "rebirth", seconds: 1 }, 422],
    [{ machine: "Press9", fault: "cut", seconds: 1 }, 404],
    [{ machine: "Press1", fault: "explode", seconds: 1 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: 0 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: 3601 }, 400],
    [{ machine: "Press1", fault: "cut", seconds: "1" }, 400],
    [{ machine: { toString: 1 }, fault: "cut", seconds: 1 }, 404],
    [null, 400],
  ])("%j is answered by %i", (body, status) => {
    expect(orderFault(body, menu).status).toBe(status);
  });

  it("says who is hit, and nothing else was begun", () => {
    expect(orderFault({ machine: "Press1", fault: "restart", seconds: 2 }, menu).body).toMatchObject({
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
    api = await serveFaults({ ...menu, port: 0, token: "let-it-break" });
  });
  afterAll(() => api.close());
  const call = (init: RequestInit = {}, path = "/faults", token = "let-it-break") =>
    fetch(`http://127.0.0.1:${api.port}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

  it("shows the menu and takes orders, with the token only", async () => {
    expect(await (await call()).json()).toEqual({
      machines: ["Press1"],
      faults: ["cut", "duplicate", "rebirth", "restart", "freeze", "skew"],
    });
    const body = JSON.stringify({ machine: "Press1", fault: "cut", seconds: 1 });
    expect((await call({ method: "POST", body })).status).toBe(202);
    expect((await call({ method: "POST", body }, "/faults", "guessed")).status).toBe(401);
    expect((await call({ method: "POST", body }, "/faults", "")).status).toBe(401);
  });

  it.each([
    [{ method: "POST", body: "not JSON" }, "/faults", 400],
    [{ method: "POST", body: "x".repeat(5000) }, "/faults", 413],
    [{ method: "DELETE" }, "/faults", 405],
    [{}, "/truth", 404],
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
