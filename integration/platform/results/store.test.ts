import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResultPublishedRecord } from "@lineshaft/contract/ports";
import { expect, it } from "vitest";
import { openStore } from "./store.ts";

it("gives results without what they were made of, one by its key or many in a range", () => {
  const dir = mkdtempSync(join(tmpdir(), "lineshaft-results-"));
  const store = openStore(join(dir, "results.sqlite"));
  try {
    store.putApplication(1, "oee", { ruleVersion: "1", periods: ["hour"] }, 1);
    const [{ id }] = store.applications();
    const key = { equipmentId: 4, period: "hour", key: "0" } as const;
    const item: ResultPublishedRecord["items"][number] = {
      ...{
        ...key,
        path: "Line/Press",
        fromUs: 0,
        toUs: 60,
        state: "final",
        revision: 1,
        values: { oeeIndex: 0.5, availability: null },
      },
      cause: { kind: "first", text: "First.", lsn: null, registryRevision: null, actor: null },
      ...{ coverage: 1, detail: { sums: [1, 2] }, evidence: [], basisLsn: 1 },
    };
    store.write(() =>
      store.apply(id, { application: "oee", ruleVersion: "1", items: [item] }, { lsn: 2, publishedUs: 70 }),
    );
    const brief = { fromUs: 0, toUs: 60, state: "final", revision: 1, coverage: 1, publishedUs: 70 };
    expect(store.brief(id, key)).toEqual({ ...brief, cause: item.cause, values: item.values });
    expect(store.brief(id, { ...key, key: "1" })).toBeNull();
    const range = { application: id, equipmentId: 4, period: null, key: null, fromUs: null, toUs: null, asOf: null };
    const list = (detail: boolean) => store.list({ ...range, detail, after: null, limit: 10, bytes: 1000 }).items[0];
    expect(list(true)).toMatchObject({ ...brief, detail: { sums: [1, 2] } });
    expect(list(false)).toMatchObject({ ...brief, detail: null, values: item.values });
  } finally {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
