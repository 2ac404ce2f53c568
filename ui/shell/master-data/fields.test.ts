import { defaultOeePolicy, type MasterDataItem, masterDataKinds } from "@lineshaft/contract/api";
import { describe, expect, it } from "vitest";
import { masterDataDe } from "../messages/master-data-de.ts";
import { masterDataEn } from "../messages/master-data-en.ts";
import { draftOf, type FieldEntry, fieldsOfKind, itemOf, placeOfPointer, type RowDraft } from "./fields.ts";
import { formKinds, idOf, kindSpecs } from "./kinds.ts";
import { choiceKey, labelKey } from "./words.ts";

/** Every field of a kind, with the place that its words are looked up by. */
const allFields = (fields: readonly FieldEntry[], within: string): [string, FieldEntry][] =>
  fields.flatMap((field) => [[within, field], ...allFields(field.fields, field.name)] as [string, FieldEntry][]);

describe("fields of master data, by the schema of the kind", () => {
  const policy = { ...defaultOeePolicy, version: "hall-3", microStopUs: 1_234_567 };
  const items: { [K in (typeof formKinds)[number]]?: MasterDataItem<K> } = {
    material: { name: null, unit: "kg", conversions: [{ unit: "1", factor: 4 }] },
    idealCycleTime: {
      ...{ equipmentId: 3, material: "CAP-28", cycleUs: 1_500_000.25, unitsPerCycle: 2 },
      ...{ fromUs: 1_795_000_000_123_456, toUs: null },
    },
    policyAssignment: { equipmentId: 1, policy, fromUs: 0, toUs: 1_795_000_000_000_001 },
    setUp: {
      ...{ equipmentId: 3, order: null, fromUs: 1_795_000_000_000_000, toUs: null, startedBy: "b-1" },
    },
    lineTopology: {
      ...{ equipmentId: 2, constraint: 3, output: 4, constraintOf: [{ material: "CAP-28", equipmentId: 4 }] },
      members: [
        { equipmentId: 3, stage: 1, unitsPerCount: 1 },
        { equipmentId: 4, stage: 2, unitsPerCount: 0.5 },
      ],
      ...{ fromUs: 0, toUs: null },
    },
    lookUp: { dimension: "material", rows: [{ value: "07", id: "CAP-28", fromUs: 0, toUs: 1_795_000_000_000_001 }] },
  };

  it("give back to the last digit what nobody touched", () => {
    for (const [kind, item] of Object.entries(items)) {
      const fields = fieldsOfKind(kind as keyof typeof items);
      expect(itemOf(fields, draftOf(fields, item), item), kind).toEqual({ item, faults: new Map() });
    }
  });

  it("say what is wrong at its place, row by row", () => {
    const fields = fieldsOfKind("lineTopology");
    const draft = draftOf(fields, items.lineTopology ?? {});
    const [first, second] = draft.members as readonly RowDraft[];
    const members = [first, { ...second, fields: { ...second.fields, unitsPerCount: "0", stage: "1.5" } }];
    const wrong = { ...draft, members, fromUs: "2026-11-02T06:00:00", toUs: "2026-11-01T06:00:00", constraint: "" };
    const { faults } = itemOf(fields, wrong, {});
    expect(Object.fromEntries(faults)).toEqual({
      constraint: "missing",
      toUs: "range",
      [`members.${second.key}.unitsPerCount`]: "positive",
      [`members.${second.key}.stage`]: "whole",
    });
    expect(itemOf(fields, { ...draft, members: [] }).faults.get("members")).toBe("rows");
    expect(placeOfPointer("/members/1/stage", wrong)).toBe(`members.${second.key}.stage`);
    expect(placeOfPointer("/toUs", wrong)).toBe("toUs");
    expect(placeOfPointer("/members/7/stage", wrong)).not.toBe(`members.${second.key}.stage`);
  });

  it("read numbers as people of either language write them, seconds and nothing", () => {
    const fields = fieldsOfKind("idealCycleTime");
    const draft = draftOf(fields, items.idealCycleTime ?? {});
    const typed = { ...draft, cycleUs: "1,25", unitsPerCycle: "2.5", material: " ", fromUs: "", toUs: "" };
    expect(itemOf(fields, typed, items.idealCycleTime)).toEqual({
      item: { equipmentId: 3, material: null, cycleUs: 1_250_000, unitsPerCycle: 2.5, fromUs: 0, toUs: null },
      faults: new Map(),
    });
    const faults = itemOf(fields, { ...typed, cycleUs: "soon", unitsPerCycle: "0" }).faults;
    expect([faults.get("cycleUs"), faults.get("unitsPerCycle")]).toEqual(["number", "positive"]);
  });

  it("have a name in both languages, and so have their choices", () => {
    for (const kind of formKinds)
      for (const [within, { name, choices }] of allFields(fieldsOfKind(kind), kind)) {
        const key = labelKey(within, name);
        expect(key, `${within}.${name}`).not.toBeNull();
        for (const choice of choices) expect(choiceKey(choice), choice).not.toBeNull();
      }
    const german: Readonly<Record<string, string>> = masterDataDe;
    const same = Object.entries(masterDataEn).flatMap(([key, text]) => (german[key] === text ? [text] : []));
    expect([...new Set(same)].sort(), "words that are one in both languages").toEqual([
      "Material",
      "Name",
      "Version",
      "–",
    ]);
  });

  it("begin with all that need not be said, and get ids of their own", () => {
    for (const kind of formKinds) {
      expect(masterDataKinds).toContain(kind);
      const fields = fieldsOfKind(kind);
      const start = kindSpecs[kind].start(7, 60_000_000);
      const { item } = itemOf(fields, draftOf(fields, start), start);
      const id = idOf(kind, item as never);
      expect(id === null || /^7\D*.*-(0|60000000)$/.test(id), `${kind} ${id}`).toBe(true);
    }
  });
});
