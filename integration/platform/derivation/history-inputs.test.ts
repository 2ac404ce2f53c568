import { ColumnsBuilder, ProblemError } from "@lineshaft/contract/api";
import { expect, test } from "vitest";
import type { BindingSpec } from "./binding.ts";
import { HistoryInputs, type RecordedPoints } from "./history-inputs.ts";
import { Rules } from "./index.ts";

const spec: BindingSpec = {
  ...{ id: 1, equipment: 1, role: "counter" },
  channels: [{ tag: 7, connection: 1, counts: "good" }],
  rules: new Rules([]),
};

/** Three points, and an error before each answer. */
function busy(code: "query_timeout" | "shutting_down"): Pick<RecordedPoints, "raw"> & { asked: number } {
  const history = {
    asked: 0,
    raw: async () => {
      if (history.asked++ % 2 === 0) throw new ProblemError(code, "Busy.");
      const columns = new ColumnsBuilder();
      for (const t of [10, 20, 30]) columns.add(7, t, t);
      return { columns: columns.build(), more: false } as Awaited<ReturnType<RecordedPoints["raw"]>>;
    },
  };
  return history;
}

test("a repair outlasts a history that is too busy for it", async () => {
  const history = busy("query_timeout");
  const { inputs, next } = await new HistoryInputs(history, spec, []).answer({ binding: 1, from: 0, to: 25 });
  expect([Array.from(inputs.t).slice(0, 2), next, history.asked]).toEqual([[10, 20], 30, 2]);
});

test("what is no matter of time ends it", async () => {
  await expect(
    new HistoryInputs(busy("shutting_down"), spec, []).answer({ binding: 1, from: 0, to: 25 }),
  ).rejects.toThrow();
});
