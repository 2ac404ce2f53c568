import { type ConnectionChangedRecord, type ConnectionHealth, decodeJson, recordType } from "@lineshaft/contract/ports";
import { describe, expect, test } from "vitest";
import { HealthLog } from "./health-log.ts";

describe("changes of health in the log", () => {
  const told: ConnectionChangedRecord[] = [];
  const failed: unknown[] = [];
  let refuse = false;
  const log = new HealthLog({
    log: {
      append: ({ tenant, type, payload }) => {
        expect([tenant, type]).toEqual([1, recordType.connectionChanged]);
        told.push(decodeJson(payload));
        return { lsn: 1, recordedTime: 0, durable: refuse ? Promise.reject(new Error("full")) : Promise.resolve() };
      },
    },
    connectionOf: (_, name) => (name === "gone" ? null : { id: 7, scope: "North" }),
    onError: (error) => void failed.push(error),
  });
  const waiting = (retryAt: number, message = "Nobody answers."): ConnectionHealth => ({
    state: "waiting",
    since: 5,
    retryAt,
    fault: "unreachable",
    message,
    hint: "Switch it on.",
    technical: "",
  });
  const note = (...healths: ConnectionHealth[]): string[] => {
    told.length = 0;
    for (const health of healths) log.note(1, "press", health);
    return told.map(({ health }) => String(health.state));
  };

  test("each is told once; attempts in between are no news", () => {
    const connecting: ConnectionHealth = { state: "connecting", since: 1 };
    const attempts = [waiting(10), connecting, waiting(20), connecting, waiting(40)];
    expect(note(connecting, ...attempts)).toEqual(["connecting", "waiting"]);
    expect(told[1]).toEqual({
      connectionId: 7,
      connection: "press",
      scope: "North",
      health: {
        state: "waiting",
        since: 5,
        fault: "unreachable",
        message: "Nobody answers.",
        hint: "Switch it on.",
        technical: "",
      },
    });
    expect(note(waiting(50, "It refuses us."))).toEqual(["waiting"]);
    expect(note({ state: "flowing", since: 9 }, { state: "flowing", since: 10 })).toEqual(["flowing"]);
    expect(note({ state: "flowing", since: 9, warnings: ["It ends."] })).toEqual(["flowing"]);
    expect(note({ state: "stopped" }, { state: "flowing", since: 9, warnings: ["It ends."] })).toHaveLength(2);
  });

  test("of a connection that is gone there is nothing to tell; a full disk only leaves it out", async () => {
    told.length = 0;
    log.note(1, "gone", { state: "connecting", since: 1 });
    expect(told).toEqual([]);
    refuse = true;
    note({ state: "silent", since: 1 });
    await expect.poll(() => failed.length).toBe(1);
  });
});
