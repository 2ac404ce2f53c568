import { type DemoFaults, type DemoTruth, ProblemError } from "@lineshaft/contract/api";
import type { DemoPlant } from "@lineshaft/contract/ports";
import type { PlantSheet } from "./simulation.ts";

/** The plant's own interface answers at once or not at all. */
const answerMs = 10_000;

/**
 * The way from the console to the demo plant: the plant listens on this machine only and wants a token, which stays here. `listens` is called when it is known
 * where; until then whoever asks is told to wait.
 */
export function demoPlantAt(): DemoPlant & { listens(at: PlantSheet["faults"]): void } {
  let at: PlantSheet["faults"] | null = null;

  async function ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    if (at === null)
      throw new ProblemError("not_found", "The demo plant does not listen yet.", { retryAfterSeconds: 2 });
    let response: Response;
    try {
      response = await fetch(new URL(path, at.url), {
        method,
        headers: { authorization: `Bearer ${at.token}`, "content-type": "application/json" },
        signal: AbortSignal.timeout(answerMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new ProblemError("not_found", "The demo plant gives no answer.", { cause, retryAfterSeconds: 2 });
    }
    const answer = (await response.json()) as T & { detail?: string };
    if (response.ok) return answer;
    const code = response.status === 404 ? "not_found" : "request_invalid";
    throw new ProblemError(code, `The demo plant: ${answer.detail ?? response.status}`);
  }

  return {
    listens(found) {
      at = found;
    },
    faults: () => ask<DemoFaults>("GET", "/faults"),
    order: ({ machine, fault, numbers }) => ask("POST", "/faults", { ...numbers, machine, fault }),
    truth(equipment, fromUs, toUs) {
      const query = new URLSearchParams({ equipment });
      if (fromUs !== undefined) query.set("from", String(fromUs));
      if (toUs !== undefined) query.set("to", String(toUs));
      return ask<DemoTruth>("GET", `/truth?${query}`);
    },
  };
}
