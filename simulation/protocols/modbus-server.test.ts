import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { secondUs } from "@lineshaft/contract/api";
import modbus from "modbus-serial";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pressRegisters } from "../plant/wiring.ts";
import type { PlantRow } from "./end.ts";
import { ModbusServer, RegisterImage } from "./modbus-server.ts";
import { connectAgain, feedOf, startUs, truth, waiting } from "./test/rig.ts";

const { default: ModbusRTU } = modbus;
const parts = "eastgate-parts-2";
let server: ModbusServer;
let client: InstanceType<typeof ModbusRTU>;

beforeEach(async () => {
  server = await ModbusServer.start({ port: 0, machine: "Press1", map: pressRegisters, waiting });
  client = new ModbusRTU();
  await client.connectTCP("127.0.0.1", { port: server.port });
  client.setID(pressRegisters.unit);
  client.setTimeout(1_000);
});
afterEach(async () => {
  await leave();
  await server.close();
});

/** The client says nothing when it is told to close what the server has closed. */
const leave = () => new Promise<void>((resolve) => (client.isOpen ? client.close(() => resolve()) : resolve()));

function play(seconds: number): PlantRow[] {
  const feed = feedOf(parts);
  feed.attach("Press1", server);
  feed.advance(startUs + seconds * secondUs);
  return truth(parts, "Press1", seconds);
}

const last = (rows: readonly PlantRow[], address: string) =>
  Number(rows.findLast(({ signal }) => signal.address === address)?.value);

describe("the press's registers", () => {
  it("count every stroke of the model and show its newest values, low word first", async () => {
    const rows = play(120);
    const pulses = rows.filter(({ signal }) => signal.address === "Press1.StrokePulse");
    const strokes = pulses.filter(({ value }, i) => i > 0 && value === true).length;
    expect(strokes).toBeGreaterThan(50);
    const { data: counters } = await client.readHoldingRegisters(0, 2);
    expect(counters[0]).toBe((pressRegisters.deliveredCount + strokes) % 65_536);
    const { buffer } = await client.readHoldingRegisters(10, 9);
    const swapped = (at: number) => Buffer.concat([buffer.subarray(at + 2, at + 4), buffer.subarray(at, at + 2)]);
    expect(swapped(0).readInt32BE()).toBe(strokes);
    expect(swapped(4).readFloatBE()).toBe(Math.fround(last(rows, "Press1.HydraulicPressure")));
    expect(swapped(8).readFloatBE()).toBe(Math.fround(last(rows, "Press1.OilTemperature")));
    expect(swapped(12).readFloatBE()).toBe(Math.fround(last(rows, "Press1.PeakForce")));
    const state = last(rows, "Press1.State");
    expect(buffer.readUInt16BE(16)).toBe(state);
    expect((await client.readCoils(0, 1)).data[0]).toBe(state === 6);
    expect((await client.readDiscreteInputs(0, 1)).data[0]).toBe(state === 6);
    expect((await client.readInputRegisters(0, 2)).data).toEqual(counters);
  });

  it.each([
    ["a gap in the map", () => client.readHoldingRegisters(0, 3), 2],
    ["more than fits into a response", () => client.readHoldingRegisters(0, 126), 3],
    ["an order to the press", () => client.writeRegister(0, 1), 1],
    ["a coil that is none", () => client.readCoils(0, 8), 2],
  ])("refuses %s", async (_, request, code) => {
    await expect(request()).rejects.toMatchObject({ modbusCode: code });
  });

  it("answers as unit 255 too, and knows no other unit", async () => {
    client.setID(255);
    expect((await client.readHoldingRegisters(0, 1)).data).toHaveLength(1);
    client.setID(7);
    await expect(client.readHoldingRegisters(0, 1)).rejects.toMatchObject({ modbusCode: 11 });
  });

  it("answers requests that come in pieces or together, in their order", async () => {
    const socket = connect(server.port, "127.0.0.1");
    const request = (id: number) => Buffer.from([0, id, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]);
    const bytes = Buffer.concat([request(1), request(2), request(3)]);
    const got: Buffer[] = [];
    socket.on("data", (chunk) => got.push(chunk));
    socket.write(bytes.subarray(0, 5));
    await delay(20);
    socket.write(bytes.subarray(5));
    while (Buffer.concat(got).length < 33) await delay(5);
    const all = Buffer.concat(got);
    expect([all[1], all[12], all[23]]).toEqual([1, 2, 3]);
    socket.destroy();
  });

  it("drops who speaks something else", async () => {
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
  });

  it("a restart loses the counters, comes back on the same port, and counts on from zero", async () => {
    play(30);
    expect(server.fault("Press1", "rebirth", 10)).toBeNull();
    expect(server.fault("Press1", "restart", 50)).toEqual(["Press1"]);
    await expect(client.readHoldingRegisters(0, 1)).rejects.toThrow();
    await leave();
    client = await connectAgain(server.port);
    expect((await client.readHoldingRegisters(0, 1)).data).toEqual([0]);
  });
});

describe("counters that begin again", () => {
  it("F22: are 0 after a reset, and roll over at a round number", () => {
    const image = new RegisterImage(pressRegisters, 123);
    const [{ signal: some }] = truth(parts, "Press1", 1);
    const strokes = (n: number): number[] =>
      Array.from({ length: n }, () => {
        const rows = [false, true].map((value, i) => ({
          signal: { ...some, address: "Press1.StrokePulse" },
          timeUs: startUs + i,
          value,
        }));
        image.accept(rows);
        return image.registers.get(0) ?? -1;
      });
    image.disturbCounters("counterRollover");
    expect(strokes(8)).toEqual([124, 125, 126, 127, 128, 129, 0, 1]);
    image.disturbCounters("counterReset");
    expect(image.registers.get(0)).toBe(0);
    expect(strokes(2)).toEqual([1, 2]);
  });
});

describe("the register image", () => {
  const counted = (signal: string, values: readonly (number | boolean)[], count: number): number | undefined => {
    const image = new RegisterImage(pressRegisters, count);
    const [{ signal: some }] = truth(parts, "Press1", 1);
    image.accept(values.map((value, i) => ({ signal: { ...some, address: signal }, timeUs: startUs + i, value })));
    return image.registers.get(signal.endsWith("Pulse") ? 0 : 1);
  };

  it.each([
    ["rising edges", "Press1.StrokePulse", [true, false, true, false, true], 0, 2],
    ["over 65,535", "Press1.StrokePulse", [false, true, false, true], 65_535, 1],
    ["a counter that grows", "Press1.RejectCount", [7, 8, 11], 0, 4],
    ["a counter that begins again with the shift", "Press1.RejectCount", [7, 8, 0, 2], 0, 3],
  ] as const)("counts %s", (_, signal, values, count, expected) => {
    expect(counted(signal, values, count)).toBe(expected);
  });
});
