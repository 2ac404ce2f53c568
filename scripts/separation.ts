/**
 * The separation step: a copy of the tree without applications/ must type-check, test, start, take a batch and give it back.
 * If it does not, something in the platform leans on an application of ours.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { overlay } from "./lib/overlay.ts";
import { bin, runNode } from "./lib/run.ts";
import { startServer } from "./lib/server.ts";

interface Outcome {
  ok: boolean;
  output: string;
}

/** `testArgs` choose the fast tests; those of the platform are run in the copy. */
export async function separation(testArgs: string[]): Promise<Outcome> {
  // Tests of our applications go with them.
  const copy = overlay((file) => !file.startsWith("applications/") && !file.startsWith("tests/applications/"));
  const data = mkdtempSync(join(tmpdir(), "lineshaft-separation-"));
  try {
    const types = await runNode([bin("typescript-native", "tsc"), "-p", copy.dir], { cwd: copy.dir });
    if (types.code !== 0)
      return { ok: false, output: `It does not type-check without applications/:\n${types.output}` };
    const tests = await runNode([bin("vitest"), "run", "integration/", ...testArgs], {
      cwd: copy.dir,
      env: { NO_COLOR: "1" },
    });
    if (tests.code !== 0)
      return { ok: false, output: `The platform's own tests fail without applications/:\n${tests.output}` };
    await useServer(copy.dir, data);
    return { ok: true, output: "" };
  } finally {
    copy.remove();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Starts the copy's server, posts a batch, reads it back, stops it. Throws where something is not as it should be. */
async function useServer(dir: string, data: string): Promise<void> {
  const server = await startServer(dir, "up", ["--data", data, "--applications", "none"]);
  try {
    const ready = await fetch(`${server.url}/readyz`);
    if (ready.status !== 200) throw new Error(`/readyz answers ${ready.status}: ${await ready.text()}`);
    const call = async (path: string, init: RequestInit = {}): Promise<Record<string, unknown>> => {
      const headers = { authorization: `Bearer ${server.adminSecret}`, "content-type": "application/json" };
      const response = await fetch(`${server.url}/api/v1${path}`, { ...init, headers });
      const body = await response.text();
      if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path} answered ${response.status}: ${body}`);
      return JSON.parse(body);
    };
    const time = Date.now() * 1000;
    const points = [20.5, 20.75].map((value, i) => ({ tag: "temperature", time: time + i, value }));
    const receipt = await call("/ingest/separation", { method: "POST", body: JSON.stringify({ points }) });
    if (receipt.ack !== "durable" || receipt.accepted !== 2)
      throw new Error(`The receipt is ${JSON.stringify(receipt)}.`);
    const { items } = (await call("/tags?connection=separation")) as { items: { id: number }[] };
    const read = await call(`/history/raw?tag=${items[0].id}&from=${time}&to=${time + 2}`);
    if (
      JSON.stringify([read.time, read.value]) !==
      JSON.stringify([
        [time, time + 1],
        [20.5, 20.75],
      ])
    ) {
      throw new Error(`What was posted does not read back: ${JSON.stringify(read)}.`);
    }
  } finally {
    const code = await server.stop();
    if (code !== 0) console.error(`The server ended with code ${code}.`);
  }
}

if (import.meta.main) {
  const { fastTests } = await import("./check.ts");
  const { ok, output } = await separation(fastTests);
  console.log(output || "ok");
  process.exitCode = ok ? 0 : 1;
}
