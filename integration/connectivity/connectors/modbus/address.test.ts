import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AddressError,
  type Defaults,
  dataTypes,
  formatAddress,
  parseAddress,
  parseRange,
  registersOf,
  type Target,
  tables,
  wordOrders,
} from "./address.ts";

const defaults: Defaults = { addressing: "oneBased", unit: 1, wordOrder: "ABCD" };
const holding = { unit: 1, table: "holding", start: 100, count: 1, type: "uint16", wordOrder: "ABCD", bit: null };

describe("addresses", () => {
  it.each<[string, Partial<Defaults>, Partial<Target>]>([
    ["holding:100", {}, {}],
    ["holding:100", { addressing: "zeroBased" }, {}],
    ["input:30", {}, { table: "input", start: 30 }],
    ["coil:5", {}, { table: "coil", start: 5, type: "bool" }],
    ["discrete:7", {}, { table: "discrete", start: 7, type: "bool" }],
    ["40001", {}, { start: 0 }],
    ["40001", { addressing: "zeroBased" }, { start: 1 }],
    ["40000", { addressing: "zeroBased" }, { start: 0 }],
    ["30001", {}, { table: "input", start: 0 }],
    ["00001", {}, { table: "coil", start: 0, type: "bool" }],
    ["10001", {}, { table: "discrete", start: 0, type: "bool" }],
    ["400001", {}, { start: 0 }],
    ["465536", {}, { start: 65535 }],
    ["3/holding:100", {}, { unit: 3 }],
    ["3/40101", {}, { unit: 3 }],
    ["holding:100", { unit: 247 }, { unit: 247 }],
    ["holding:100:int16", {}, { type: "int16" }],
    ["holding:100:float32", {}, { type: "float32", count: 2 }],
    ["holding:100:float32:CDAB", {}, { type: "float32", count: 2, wordOrder: "CDAB" }],
    ["holding:100:CDAB", { dataType: "uint64" }, { type: "uint64", count: 4, wordOrder: "CDAB" }],
    ["holding:100", { dataType: "bcd32", wordOrder: "DCBA" }, { type: "bcd32", count: 2, wordOrder: "DCBA" }],
    ["holding:100:int16", { dataType: "float64" }, { type: "int16" }],
    ["holding:100.15", {}, { type: "bool", bit: 15 }],
    ["holding:100", { bit: 3 }, { type: "bool", bit: 3 }],
    ["40101.0:bool", {}, { type: "bool", bit: 0 }],
    ["holding:100:bool", {}, { type: "bool" }],
    ["holding:100:string(8)", {}, { type: "string", count: 8 }],
    ["holding:100:string", { length: 4 }, { type: "string", count: 4 }],
  ])("%s with %o", (address, more, expected) => {
    expect(parseAddress(address, { ...defaults, ...more })).toEqual({ ...holding, ...expected });
  });

  it.each([
    ["", /no Modbus address/],
    ["holding", /no Modbus address/],
    ["holding:-1", /no Modbus address/],
    ["Holding:1", /no Modbus address/],
    ["holding:1 ", /no Modbus address/],
    ["holding:65536", /last address/],
    ["holding:65535:float32", /last address/],
    ["40000", /first address/],
    ["20001", /begins with none/],
    ["465537", /last address/],
    ["256/holding:1", /unit ids/],
    ["holding:1.16", /bit of a register/],
    ["holding:1.2:int16", /bit of a register/],
    ["coil:1:int16", /one bit/],
    ["coil:1.2", /one bit/],
    ["holding:1:real", /no data type/],
    ["holding:1:int16:ACBD", /no word order/],
    ["holding:1:string", /needs its registers/],
    ["holding:1:string(0)", /needs its registers/],
    ["holding:1:string(126)", /needs its registers/],
    ["holding:1:int16(2)", /only string/],
  ])("refuses %s", (address, message) => {
    expect(() => parseAddress(address, defaults)).toThrow(message);
    expect(() => parseAddress(address, defaults)).toThrow(AddressError);
  });

  it("comes back from its canonical spelling, whatever the defaults", () => {
    const target = fc
      .record({
        unit: fc.nat(255),
        table: fc.constantFrom(...tables),
        start: fc.nat(65535 - 125),
        type: fc.constantFrom(...dataTypes),
        length: fc.integer({ min: 1, max: 125 }),
        wordOrder: fc.constantFrom(...wordOrders),
        bit: fc.option(fc.nat(15)),
      })
      .map(({ length, ...t }): Target => {
        if (t.table === "coil" || t.table === "discrete")
          return { ...t, type: "bool", bit: null, count: 1, wordOrder: "ABCD" };
        if (t.type === "string") return { ...t, bit: null, count: length };
        return { ...t, bit: t.type === "bool" ? t.bit : null, count: registersOf[t.type] };
      });
    fc.assert(
      fc.property(target, fc.boolean(), (t, zero) => {
        const other: Defaults = { addressing: zero ? "zeroBased" : "oneBased", unit: 9, wordOrder: "ABCD" };
        expect(parseAddress(formatAddress(t), other)).toEqual(t);
      }),
    );
  });

  it("never throws anything but its own error", () => {
    const piece = fc.constantFrom("holding", "coil", ":", "/", ".", "(", ")", "4", "0", "99999", "string", "CDAB", "é");
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (address) => {
        try {
          const { start, count } = parseAddress(address, defaults);
          expect(start >= 0 && start + count <= 65536).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(AddressError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("ranges", () => {
    expect(parseRange("holding:50-59")).toEqual({ unit: null, table: "holding", from: 50, to: 59 });
    expect(parseRange("3/input:7")).toEqual({ unit: 3, table: "input", from: 7, to: 7 });
    for (const wrong of ["holding:9-8", "holding:1-65536", "300/holding:1", "40001", ""])
      expect(() => parseRange(wrong)).toThrow(AddressError);
  });
});
