import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { apiBase, type Problem, type SystemStatus } from "@lineshaft/contract/api";
import { UsageError } from "./config.ts";

/**
 * `lineshaft verify [--settle] [--timeout s]`: reads the sum rule of a running server and tells whether it holds. With --settle it first waits until no
 * batch, no verdict and no record for history is pending. Exit code 0: it holds.
 */
export async function verify(args: string[], env: Record<string, string | undefined>): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      settle: { type: "boolean", default: false },
      url: { type: "string", default: env.LINESHAFT_URL ?? "http://127.0.0.1:8750" },
      timeout: { type: "string", default: "60" },
      json: { type: "boolean", default: false },
    },
  });
  const key = env.LINESHAFT_KEY;
  if (key === undefined) throw new UsageError("Give an API key or the admin secret in LINESHAFT_KEY.");
  const deadline = performance.now() + Number(values.timeout) * 1000;
  let status = await read(values.url, key);
  while (values.settle && !settled(status)) {
    if (performance.now() > deadline) {
      process.stderr.write(
        `Not settled after ${values.timeout} s: ${status.sums.pending} points pending, history ${status.history.lagRecords} records behind.\n`,
      );
      return 1;
    }
    await sleep(100);
    status = await read(values.url, key);
  }
  const { offered, stored, duplicates, rejected, dropped, pending, balanced } = status.sums;
  if (values.json) process.stdout.write(`${JSON.stringify({ ...status.sums, settled: settled(status) })}\n`);
  else {
    const sum = `${stored} stored + ${duplicates} duplicates + ${rejected} rejected + ${dropped} dropped + ${pending} pending`;
    process.stdout.write(`${offered} offered = ${sum}: ${balanced ? "it holds" : "IT DOES NOT HOLD"}\n`);
  }
  return balanced ? 0 : 1;
}

function settled(status: SystemStatus): boolean {
  return status.sums.pending === 0 && status.history.lagRecords === 0;
}

async function read(url: string, key: string): Promise<SystemStatus> {
  const response = await fetch(`${url}${apiBase}/system`, { headers: { authorization: `Bearer ${key}` } });
  const body = (await response.json()) as SystemStatus | Problem;
  if ("code" in body) throw new UsageError(`${body.detail} ${body.action}`);
  return body;
}
