import { UnreachableError } from "@lineshaft/client";
import { type FactLot, type FactUnit, ProblemError } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { lookedUp, readThing, type Subject, saidOf, type ThingApi, withoutSerial, withThing } from "./scrap-things.ts";

describe("a code on a label", () => {
  it.each([
    ["SN-007", { text: "SN-007", as: null }],
    [" ]C1007 ", { text: "007", as: null }],
    ["serial:007", { text: "007", as: "serial" }],
    ["SN= 7", { text: "7", as: "serial" }],
    ["LOT:A/1", { text: "A/1", as: "lot" }],
    ["Charge: 0815", { text: "0815", as: "lot" }],
    ["(01)04012345678901(21)007", { text: "007", as: "serial" }],
    ["]C1(01)04012345678901(10)L-7\u001d(21)", { text: "L-7", as: "lot" }],
  ])("%j", (code, thing) => expect(readThing(code)).toEqual(thing));
});

describe("what is known of a code", () => {
  const produced = (...places: number[]) => ({
    produced: { items: places.map((equipmentId) => ({ item: { equipmentId } })) },
  });
  const missing = () => Promise.reject(new ProblemError("not_found", "There is none."));
  const api = (more: Partial<ThingApi>): ThingApi => ({ unit: missing, lot: missing, ...more });
  const unit = async () => produced(7) as unknown as FactUnit;
  const lot = async () => produced(8) as unknown as FactLot;

  it("is a unit before a lot; what was made elsewhere is said", async () => {
    expect(await lookedUp({ text: "1", as: null }, api({ unit, lot }), 7)).toEqual({
      what: "serial",
      id: "1",
      checked: true,
      elsewhere: false,
    });
    expect(await lookedUp({ text: "1", as: "lot" }, api({ unit, lot }), 7)).toEqual({
      what: "lot",
      id: "1",
      checked: true,
      elsewhere: true,
    });
    expect(await lookedUp({ text: "1", as: null }, api({ lot }), 8)).toMatchObject({ what: "lot", elsewhere: false });
  });
  it("is unknown at once where the server knows neither", async () => {
    expect(await lookedUp({ text: "1", as: null }, api({}), 7)).toEqual({ what: "unknown", id: "1" });
    expect(await lookedUp({ text: "1", as: "serial" }, api({ lot }), 7)).toEqual({ what: "unknown", id: "1" });
  });
  it("waits for the server where it does not answer; other faults are faults", async () => {
    const away = () => Promise.reject(new UnreachableError("no answer"));
    expect(await lookedUp({ text: "1", as: null }, api({ unit: away }), 7)).toEqual({
      what: "serial",
      id: "1",
      checked: false,
    });
    expect(await lookedUp({ text: "1", as: "lot" }, api({ lot: away }), 7)).toEqual({
      what: "lot",
      id: "1",
      checked: false,
    });
    const wrong = () => Promise.reject(new ProblemError("forbidden", "No."));
    await expect(lookedUp({ text: "1", as: null }, api({ unit: wrong }), 7)).rejects.toThrow("No.");
  });
});

describe("what is told to be scrap", () => {
  const serial = (id: string) => ({ what: "serial" as const, id, checked: true as const, elsewhere: false });
  const two = [serial("1"), serial("2"), serial("1")].reduce<Subject>(withThing, null);

  it("is units, each once, or a lot", () => {
    expect(saidOf(two)).toEqual({ serials: ["1", "2"] });
    expect(saidOf(withThing(two, { what: "lot", id: "L", checked: false }))).toEqual({ lot: "L" });
    expect(saidOf(withThing({ lot: "L", checked: true }, serial("3")))).toEqual({ serials: ["3"] });
    expect(saidOf(null)).toEqual({});
  });
  it("is less when one is taken out again", () => {
    expect(saidOf(withoutSerial(two, "1"))).toEqual({ serials: ["2"] });
    expect(withoutSerial(withoutSerial(two, "1"), "2")).toBeNull();
  });
});
