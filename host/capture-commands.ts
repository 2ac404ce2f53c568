import { once } from "node:events";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { captureLine, connectorKinds, type ReplayedRow, replayCapture } from "@lineshaft/connectivity";
import {
  type Configuration,
  type IngestReceipt,
  ingestLimits,
  type LinesEnd,
  type LinesFailure,
  type Problem,
  type WireRecord,
} from "@lineshaft/contract/api";
import { ConnectionError } from "@lineshaft/contract/ports";
import { server } from "./api-call.ts";
import { UsageError } from "./config.ts";

type Env = Record<string, string | undefined>;

/** Captured traffic: from a running connection into a file, and from the file through the connector's codec. */
export const captureCommands = { record, replay };

/** `lineshaft record <connection> [--seconds n] --out <file>`. Secrets of the connection are overwritten by the server. */
async function record(args: string[], env: Env): Promise<number> {
  const { values, positionals } = read(args, {
    url: { type: "string" },
    seconds: { type: "string", default: "30" },
    out: { type: "string" },
  });
  const [connection] = positionals;
  const { out, seconds } = values;
  if (connection === undefined || positionals.length > 1) throw new UsageError("Give the name of one connection.");
  if (out === undefined) throw new UsageError("Give the file of the capture with --out.");
  if (existsSync(out)) throw new UsageError(`${out} is there already.`);
  const path = `/connections/${encodeURIComponent(connection)}/wire?seconds=${encodeURIComponent(seconds ?? "30")}`;
  const answer = await server(values.url, env).lines(path);
  if ("problem" in answer) return refused(answer.problem);
  const file = createWriteStream(out, { flags: "wx", mode: 0o600 });
  let records = 0;
  let end: LinesEnd["end"] | null = null;
  let failure: LinesFailure["error"] | null = null;
  for await (const line of answer.lines) {
    if ("end" in line) end = line.end as LinesEnd["end"];
    else if ("error" in line) failure = line.error as LinesFailure["error"];
    else {
      records++;
      if (!file.write(captureLine(line as unknown as WireRecord))) await once(file, "drain");
    }
  }
  file.end();
  await once(file, "close");
  process.stderr.write(`${records} records in ${out}.\n`);
  if (failure !== null) process.stderr.write(`${failure.message} ${failure.hint}\n`);
  else if (end === null) process.stderr.write("The connection to the server ended early.\n");
  else if (end.more) process.stderr.write("Some traffic was left out: it came faster than it could be fetched.\n");
  return end === null || end.more ? 1 : 0;
}

/** `lineshaft replay <file> --kind <kind> (--config <file> | --connection <name>) [--into <connection>]`: the decoded values as JSON lines, or into a connection. */
async function replay(args: string[], env: Env): Promise<number> {
  const { values, positionals } = read(args, {
    url: { type: "string" },
    kind: { type: "string" },
    config: { type: "string" },
    connection: { type: "string" },
    into: { type: "string" },
  });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) throw new UsageError("Give the file of one capture.");
  if ((values.config === undefined) === (values.connection === undefined))
    throw new UsageError("Give either --config with a file, or --connection with a name.");
  const found = await configOf(values, env);
  if ("problem" in found) return refused(found.problem);
  const { kind, config } = found;
  const load = connectorKinds[kind ?? ""];
  if (load === undefined)
    throw new UsageError(`--kind is "${kind ?? ""}"; there are ${Object.keys(connectorKinds).sort().join(", ")}.`);
  const rows: ReplayedRow[] = [];
  try {
    for await (const row of replayCapture(await load(), config, readCaptureFile(path))) rows.push(row);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    process.stderr.write(`${error.message} ${error.hint}\n`);
    return 1;
  }
  if (values.into !== undefined) return ingest(rows, values.into, values.url, env);
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
  return 0;
}

async function configOf(
  values: { url?: string; kind?: string; config?: string; connection?: string },
  env: Env,
): Promise<{ kind: string | undefined; config: Record<string, unknown> } | { problem: Problem }> {
  if (values.config !== undefined) {
    try {
      return { kind: values.kind, config: JSON.parse(fileText(values.config)) as Record<string, unknown> };
    } catch (error) {
      throw new UsageError(`${values.config} is no JSON: ${(error as Error).message}`);
    }
  }
  const answer = await server(values.url, env).send<Configuration>("GET", "/configuration");
  if ("problem" in answer) return answer;
  const known = answer.body.connections?.find(({ name }) => name === values.connection);
  if (known === undefined) throw new UsageError(`There is no connection "${values.connection}".`);
  return { kind: values.kind ?? known.kind, config: known.config ?? {} };
}

async function ingest(rows: readonly ReplayedRow[], into: string, url: string | undefined, env: Env): Promise<number> {
  const points = rows.flatMap((row) =>
    "rejected" in row ? [] : [{ tag: row.address, time: row.time, value: row.value, status: row.status }],
  );
  const platform = server(url, env);
  let accepted = 0;
  for (let at = 0; at < points.length; at += ingestLimits.rows / 10) {
    const body = { points: points.slice(at, at + ingestLimits.rows / 10) };
    const answer = await platform.send<IngestReceipt>("POST", `/ingest/${encodeURIComponent(into)}`, { body });
    if ("problem" in answer) return refused(answer.problem);
    accepted += answer.body.accepted;
  }
  const lost = rows.length - points.length;
  process.stderr.write(
    `${points.length} values offered to "${into}", ${accepted} new; ${lost} messages could not be decoded.\n`,
  );
  return 0;
}

function readCaptureFile(path: string): WireRecord[] {
  return fileText(path)
    .split("\n")
    .flatMap((line, i) => {
      if (line.trim() === "") return [];
      try {
        const { t, dir, b64, note } = JSON.parse(line) as WireRecord;
        if (Number.isSafeInteger(t) && (dir === "in" || dir === "out") && typeof b64 === "string")
          return [{ t, dir, b64, ...(typeof note === "string" ? { note } : {}) }];
      } catch {
        // Told below, like a line of another shape.
      }
      throw new UsageError(`${path}:${i + 1}: this is no record of a capture.`);
    });
}

function fileText(path: string): string {
  if (!existsSync(path)) throw new UsageError(`There is no file ${path}.`);
  return readFileSync(path, "utf8");
}

function read<T extends NonNullable<Parameters<typeof parseArgs>[0]>["options"]>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function refused({ detail, action }: Problem): number {
  process.stderr.write(`${detail}\n${action}\n`);
  return 1;
}
