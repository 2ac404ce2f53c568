import { type Value, valueTypes } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress, type WordOrder, wordOrders } from "./address.ts";
import { decode, slotOf } from "./decode.ts";
import { status } from "./status.ts";

type Decoded = [Value, string] | { bad: number };

/** Decodes one address from the values of a read that begins at `start`. */
function decoded(address: string, bytes: Uint8Array, start = 0): Decoded {
  const target = parseAddress(address, { addressing: "oneBased", unit: 1, wordOrder: "ABCD" });
  let found: Decoded | undefined;
  decode([slotOf(target, 5, start)], bytes, {
    number: (tag, value, type) => {
      expect(tag).toBe(5);
      found = [valueTypes[type] === "boolean" ? value !== 0 : value, valueTypes[type]];
    },
    exact: (_, value, type) => {
      found = [value, valueTypes[type]];
    },
    bad: (_, code) => {
      found = { bad: code };
    },
  });
  return found!;
}
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("decode", () => {
  it.each<[string, string, Decoded]>([
    ["holding:0", "ffff", [65535, "int64"]],
    ["holding:0:int16", "ffff", [-1, "int64"]],
    ["holding:0:int16", "8000", [-32768, "int64"]],
    ["holding:0:int16:BADC", "0080", [-32768, "int64"]],
    ["holding:0:uint16:CDAB", "1234", [0x1234, "int64"]],
    ["holding:1", "0000 1234", [0x1234, "int64"]],
    ["holding:0:uint32", "fffefdfc", [0xfffefdfc, "int64"]],
    ["holding:0:int32", "fffffffe", [-2, "int64"]],
    ["holding:0:int32:CDAB", "fffe ffff", [-2, "int64"]],
    ["holding:0:float32", "4048 f5c3", [Math.fround(3.14), "double"]],
    ["holding:0:float32:CDAB", "f5c3 4048", [Math.fround(3.14), "double"]],
    ["holding:0:float32:BADC", "4840 c3f5", [Math.fround(3.14), "double"]],
    ["holding:0:float32:DCBA", "c3f5 4840", [Math.fround(3.14), "double"]],
    ["holding:0:float32", "8000 0000", [-0, "double"]],
    ["holding:0:float32", "7f80 0000", [Infinity, "double"]],
    ["holding:0:float32", "7fc0 0000", [NaN, "double"]],
    ["holding:0:float32", "0000 0001", [2 ** -149, "double"]],
    ["holding:0:float64", "4009 21fb 5444 2d18", [Math.PI, "double"]],
    ["holding:0:float64:CDAB", "2d18 5444 21fb 4009", [Math.PI, "double"]],
    ["holding:0:float64:DCBA", "182d 4454 fb21 0940", [Math.PI, "double"]],
    ["holding:0:uint64", "0020 0000 0000 0001", [9007199254740993n, "int64"]],
    ["holding:0:uint64", "001f ffff ffff ffff", [Number.MAX_SAFE_INTEGER, "int64"]],
    ["holding:0:uint64", "7fff ffff ffff ffff", [2n ** 63n - 1n, "int64"]],
    ["holding:0:uint64", "8000 0000 0000 0000", ["9223372036854775808", "string"]],
    ["holding:0:uint64", "ffff ffff ffff ffff", ["18446744073709551615", "string"]],
    ["holding:0:int64", "8000 0000 0000 0000", [-(2n ** 63n), "int64"]],
    ["holding:0:int64", "ffff ffff ffff ffff", [-1, "int64"]],
    ["holding:0:int64:CDAB", "fffe ffff ffff ffff", [-2, "int64"]],
    ["holding:0:bcd16", "9876", [9876, "int64"]],
    ["holding:0:bcd16", "987a", { bad: status.badDecodingError }],
    ["holding:0:bcd32", "1234 5678", [12345678, "int64"]],
    ["holding:0:bcd32:CDAB", "5678 1234", [12345678, "int64"]],
    ["holding:0:bcd32", "f234 5678", { bad: status.badDecodingError }],
    ["holding:0.0", "0001", [true, "boolean"]],
    ["holding:0.15", "8000", [true, "boolean"]],
    ["holding:0.15:BADC", "0080", [true, "boolean"]],
    ["holding:0.14", "8000", [false, "boolean"]],
    ["holding:0:bool", "0100", [true, "boolean"]],
    ["holding:0:bool", "0000", [false, "boolean"]],
    ["coil:0", "02", [false, "boolean"]],
    ["coil:1", "02", [true, "boolean"]],
    ["discrete:9", "0002", [true, "boolean"]],
    ["holding:0:string(3)", "4142 4320 2020", ["ABC", "string"]],
    ["holding:0:string(2):BADC", "4241 0043", ["ABC", "string"]],
    ["holding:0:string(2)", "4100 4242", ["A", "string"]],
    ["holding:0:string(2)", "c3a4 0000", ["ä", "string"]],
    ["holding:0:string(1)", "e400", ["ä", "string"]],
    ["holding:0:string(1)", "0000", ["", "string"]],
  ])("%s of %s", (address, bytes, expected) => {
    expect(decoded(address, hex(bytes))).toEqual(expected);
  });

  /** The bytes of a big-endian value as a device with this order lays them out. */
  function laidOut(bigEndian: Uint8Array, order: WordOrder): Uint8Array {
    const registers = Array.from({ length: bigEndian.length / 2 }, (_, i) => [...bigEndian.subarray(2 * i, 2 * i + 2)]);
    if (order === "CDAB" || order === "DCBA") registers.reverse();
    if (order === "BADC" || order === "DCBA") for (const register of registers) register.reverse();
    return Uint8Array.from(registers.flat());
  }

  it("brings back every value of every type in every order, bit by bit", () => {
    const order = fc.constantFrom(...wordOrders);
    const view = new DataView(new ArrayBuffer(8));
    const bytes = (count: number): Uint8Array => new Uint8Array(view.buffer.slice(0, count));
    fc.assert(
      fc.property(fc.double(), fc.float(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), order, (d, f, n, o) => {
        view.setFloat64(0, d);
        expect(decoded(`holding:0:float64:${o}`, laidOut(bytes(8), o))).toEqual([d, "double"]);
        view.setFloat32(0, f);
        expect(decoded(`holding:0:float32:${o}`, laidOut(bytes(4), o))).toEqual([f, "double"]);
        view.setBigInt64(0, n);
        const exact = BigInt.asIntN(53, n) === n && n !== -(2n ** 53n) ? Number(n) : n;
        const [value, type] = decoded(`holding:0:int64:${o}`, laidOut(bytes(8), o)) as [Value, string];
        expect(BigInt(value as number | bigint)).toBe(n);
        expect(type).toBe("int64");
        if (Number.isSafeInteger(Number(n))) expect(typeof value).toBe("number");
        else expect(value).toBe(exact);
        expect(decoded(`holding:0:int32:${o}`, laidOut(bytes(4), o))).toEqual([view.getInt32(0), "int64"]);
        expect(decoded(`holding:0:uint16:${o}`, laidOut(bytes(2), o))).toEqual([view.getUint16(0), "int64"]);
      }),
    );
  });
});
