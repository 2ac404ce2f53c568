import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Principal, ProblemError, type TransferKind } from "@lineshaft/contract/api";
import type { MasterDataTransfer, Registry } from "@lineshaft/contract/ports";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRegistry } from "../../registry/index.ts";
import { createMasterDataTransfer } from "./index.ts";

const admin: Principal = { id: "a", kind: "system", name: "a", tenant: 1, role: "admin", scopes: [""] };

let dir: string;
let registry: Registry;
let transfer: MasterDataTransfer;
let press: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "transfer-"));
  registry = openRegistry({ path: join(dir, "registry.db"), clock: new FakeClock() });
  press = registry.createEquipment(admin, { level: "workUnit", name: "Press" }).item.id;
  transfer = createMasterDataTransfer(registry);
});
afterEach(() => {
  registry.close();
  rmSync(dir, { recursive: true });
});

const take = (kind: TransferKind, lines: string): void => {
  const how = { form: "table", dryRun: false, revision: null } as const;
  transfer.import(admin, kind, new TextEncoder().encode(lines), how);
};
const faults = (run: () => unknown): string[] => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return (error.errors ?? []).map(({ code, line, column }) => `${code}@${line}:${column}`);
  }
  return [];
};

describe("look-ups and rules from a spreadsheet", () => {
  it("in German: a row a value, without a beginning since ever", () => {
    take(
      "lookUp",
      "Tabelle;Dimension;Wert;Ziel;Von;Bis\nRezepte;material;07;CAP-28;;2026-11-01\nRezepte;material;07;CAP-30;2026-11-01;\nRezepte;material;08;LID-28;;\n",
    );
    take("identifierRule", "Schlüssel;Anlage;Dimension;Merkmal;Kein;Tabelle\npress;Press;material;recipe;0;Rezepte\n");
    const november = Date.UTC(2026, 10, 1) * 1000;
    expect(registry.masterData.get(admin, "lookUp", "Rezepte").item).toEqual({
      dimension: "material",
      rows: [
        { value: "07", id: "CAP-28", fromUs: 0, toUs: november },
        { value: "07", id: "CAP-30", fromUs: november, toUs: null },
        { value: "08", id: "LID-28", fromUs: 0, toUs: null },
      ],
    });
    expect(registry.masterData.get(admin, "identifierRule", "press").item).toEqual({
      ...{ equipmentId: press, dimension: "material", property: "recipe", prefix: null, padTo: null },
      ...{ none: "0", lookUp: "Rezepte", fromUs: 0, toUs: null },
    });
  });

  it("is refused where a spreadsheet took the zeros of values, or of what they stand for", () => {
    expect(faults(() => take("lookUp", "id,dimension,value,target\nr,material,007,A\nr,material,8,B\n"))).toEqual([
      "cell_damaged@3:3",
    ]);
    registry.masterData.put(
      admin,
      "order",
      "0004711",
      { material: null, unit: "1", quantity: 1, operations: [] },
      null,
    );
    expect(faults(() => take("lookUp", "id,dimension,value,target\nr,order,A,4711\n"))).toEqual(["cell_damaged@2:4"]);
    // A material may well be called so.
    take("lookUp", "id,dimension,value,target\nr,material,A,4711\n");
  });

  it("is refused by row where a value stands for two things at once", () => {
    expect(faults(() => take("lookUp", "id,dimension,value,target\nr,order,A,1\nr,order,A,2\n"))).toEqual([
      "key_duplicate@3:3",
    ]);
  });
});
