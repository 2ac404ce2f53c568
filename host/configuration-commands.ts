import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type {
  Configuration,
  ConfigurationProblem,
  Plan,
  PlanItem,
  Problem,
  WriteReceipt,
} from "@lineshaft/contract/api";
import {
  type ReadConfiguration,
  readConfiguration,
  renderConfiguration,
  rewriteConfiguration,
} from "@lineshaft/platform/configuration";
import { server } from "./api-call.ts";
import { UsageError } from "./config.ts";
import { loadKinds } from "./configuration.ts";

type Env = Record<string, string | undefined>;

/** Commands on configuration files. Each answers its exit code: 0 all is well, 1 there are problems, 3 there are changes (`plan --exit-code`). */
export const configurationCommands = { check, plan, apply, export: exportConfiguration };

const options = {
  url: { type: "string" },
  json: { type: "boolean", default: false },
  "exit-code": { type: "boolean", default: false },
  revision: { type: "string" },
  output: { type: "string" },
} as const;

/** `lineshaft check <file or folder> …`: without a server, every mistake as `file:line:column: text`. */
async function check(args: string[], env: Env): Promise<number> {
  const { files } = parse(args, []);
  const { configuration, problems } = await read(files, env);
  if (configuration === null) return complain(problems);
  const { models = [], equipment = [], connections = [] } = configuration;
  const tags = connections.reduce((sum, connection) => sum + (connection.tags?.length ?? 0), 0);
  say(
    `${models.length} models, ${equipment.length} equipment, ${connections.length} connections, ${tags} tags: no mistakes`,
  );
  return 0;
}

/** `lineshaft plan <file or folder> … [--exit-code] [--json]`: what `apply` would do. */
async function plan(args: string[], env: Env): Promise<number> {
  const { files, values } = parse(args, ["url", "json", "exit-code"]);
  const local = await read(files, env);
  if (local.configuration === null) return complain(local.problems);
  const answer = await server(values.url, env).send<Plan>("POST", "/configuration/plan", { body: local.configuration });
  if ("problem" in answer) return refused(answer.problem, local);
  const { body } = answer;
  say(values.json === true ? JSON.stringify(body) : describe(body));
  const changes = Object.values(body.counts).some((count) => count > 0);
  return changes && values["exit-code"] === true ? 3 : 0;
}

/** `lineshaft apply <file or folder> …`, or `apply --revision n` to go back: all of it or nothing. */
async function apply(args: string[], env: Env): Promise<number> {
  const { files, values } = parse(args, ["url", "json", "revision"], true);
  if ((values.revision === undefined) === (files.length === 0))
    throw new UsageError("Give either files or --revision.");
  const platform = server(values.url, env);
  let local: ReadConfiguration | null = null;
  let wanted: Configuration;
  if (values.revision === undefined) {
    local = await read(files, env);
    if (local.configuration === null) return complain(local.problems);
    wanted = local.configuration;
  } else {
    const then = await platform.send<Configuration>("GET", `/configuration?revision=${number(values.revision)}`);
    if ("problem" in then) return refused(then.problem, null);
    wanted = then.body;
  }
  const planned = await platform.send<Plan>("POST", "/configuration/plan", { body: wanted });
  if ("problem" in planned) return refused(planned.problem, local);
  if (Object.values(planned.body.counts).every((count) => count === 0)) {
    say(values.json === true ? JSON.stringify({ plan: planned.body, receipt: null }) : describe(planned.body));
    return 0;
  }
  if (values.json !== true) say(describe(planned.body));
  // What was planned is what is done: had somebody changed something meanwhile, this is refused.
  const applied = await platform.send<{ plan: Plan; receipt: WriteReceipt }>("PUT", "/configuration", {
    body: wanted,
    revision: planned.body.revision,
  });
  if ("problem" in applied) return refused(applied.problem, local);
  const { revision } = applied.body.receipt;
  say(values.json === true ? JSON.stringify(applied.body) : `Applied; the configuration is at revision ${revision}.`);
  return 0;
}

/** `lineshaft export [--revision n] [--output file]`: to a file that exists, with its comments, order and references kept. */
async function exportConfiguration(args: string[], env: Env): Promise<number> {
  const { values } = parse(args, ["url", "revision", "output"], true);
  const query = values.revision === undefined ? "" : `?revision=${number(values.revision)}`;
  const answer = await server(values.url, env).send<Configuration>("GET", `/configuration${query}`);
  if ("problem" in answer) return refused(answer.problem, null);
  if (values.output === undefined) {
    process.stdout.write(renderConfiguration(answer.body));
    return 0;
  }
  let text = renderConfiguration(answer.body);
  if (existsSync(values.output)) {
    const before = readFileSync(values.output, "utf8");
    const { configuration, problems } = await read([values.output], env);
    if (configuration === null) return complain(problems);
    text = rewriteConfiguration(before, answer.body, (name) => env[name]);
  }
  // Beside it first, so that a file is never half written.
  writeFileSync(`${values.output}.new`, text);
  renameSync(`${values.output}.new`, values.output);
  return 0;
}

type Values = { [K in keyof typeof options]?: string | boolean };

function parse(args: string[], allowed: (keyof typeof options)[], filesOptional = false) {
  let parsed: { values: Values; positionals: string[] };
  try {
    const own = Object.fromEntries(allowed.map((name) => [name, options[name]]));
    parsed = parseArgs({ args, options: own, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0 && !filesOptional) throw new UsageError("Give at least one file or folder.");
  const text = (value: string | boolean | undefined): string | undefined =>
    typeof value === "string" ? value : undefined;
  return {
    files: positionals,
    values: { ...values, url: text(values.url), revision: text(values.revision), output: text(values.output) },
  };
}

function number(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--revision is "${text}"; a number is expected.`);
}

async function read(paths: readonly string[], env: Env): Promise<ReadConfiguration> {
  const files = paths.flatMap((path) => {
    if (!existsSync(path)) throw new UsageError(`There is no file ${path}.`);
    if (!statSync(path).isDirectory()) return [path];
    const found = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    if (found.length === 0) throw new UsageError(`There are no .yaml files in ${path}.`);
    return found.sort().map((name) => join(path, name));
  });
  const sources = files.map((file) => ({ file, text: readFileSync(file, "utf8") }));
  return readConfiguration(sources, { env: (name) => env[name], kinds: await loadKinds() });
}

/** A refusal by the server, at the place in the files where it comes from. */
function refused(problem: Problem, local: ReadConfiguration | null): number {
  const places = (problem.errors ?? []).map(({ path, message, action = problem.action }) => {
    const found = { code: "configuration_invalid" as const, path, message, action };
    return local === null ? found : local.place(found);
  });
  if (places.length > 0) complain(places);
  process.stderr.write(`${problem.detail}\n${problem.action}\n`);
  return 1;
}

function complain(problems: readonly ConfigurationProblem[]): number {
  for (const { file, line, column, path, message, action } of problems)
    process.stderr.write(`${file === undefined ? path : `${file}:${line}:${column}`}: ${message} ${action}\n`);
  return 1;
}

const marks = { create: "+", change: "~", rename: ">", remove: "-" } as const;

/** A plan for people: one line a step, what changes behind it, what goes with it below. */
function describe({ items, counts }: Plan): string {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all === 0) return "No changes.";
  const lines = items.map(lineOf);
  if (all > items.length) lines.push(`  … and ${all - items.length} more`);
  const { create, change, rename, remove } = counts;
  return [...lines, `${create} to create, ${change} to change, ${rename} to rename, ${remove} to remove.`].join("\n");
}

function lineOf({ action, entity, name, changes, loses }: PlanItem): string {
  const fields = action === "change" || action === "rename" ? changes : [];
  const shown = fields.map(({ field, from, to }) => `${field} ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  return `${marks[action]} ${entity} ${name}${shown.length === 0 ? "" : `: ${shown.join(", ")}`}${loses === undefined ? "" : `\n    ${loses}`}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
