import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiBase, type Principal, ProblemError } from "@lineshaft/contract/api";
import type { Registry } from "@lineshaft/contract/ports";
import { TagDirectory } from "@lineshaft/platform/ingest";
import { openRegistry } from "@lineshaft/platform/registry";
import { FakeClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UsageError } from "./config.ts";
import { configurationService, loadKinds } from "./configuration.ts";
import { configurationCommands } from "./configuration-commands.ts";

const admin: Principal = { id: "admin", kind: "key", name: "admin", tenant: 1, role: "admin", scopes: [""] };
let dir: string;
let registry: Registry;
let server: Server;
let env: Record<string, string>;
/** Runs before a request is answered. */
let meanwhile: ((method: string) => void) | null = null;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "lineshaft-commands-"));
  registry = openRegistry({ path: join(dir, "registry.sqlite"), clock: new FakeClock() });
  const service = configurationService(registry, new TagDirectory(), await loadKinds());
  // The four addresses that the commands use; how REST answers in full is tested there.
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const { method = "", url = "" } = request;
      const [, query] = url.split("?revision=");
      const input = { value: text === "" ? null : (JSON.parse(text) as unknown) };
      const answer = async (): Promise<object> => {
        if (request.headers.authorization !== "Bearer k") throw new ProblemError("auth_invalid", "No such key.");
        meanwhile?.(method);
        if (method === "GET") return service.read(admin, query === undefined ? undefined : Number(query)).configuration;
        if (url === `${apiBase}/configuration/plan`) return service.plan(admin, input);
        const { plan, revision } = await service.apply(
          admin,
          input,
          Number(request.headers["if-match"]?.replaceAll('"', "")),
        );
        return { plan, receipt: { revision, lsn: 1 } };
      };
      answer().then(
        (body) => response.end(JSON.stringify(body)),
        (error: ProblemError) => {
          const problem = error.toProblem();
          response.writeHead(problem.status).end(JSON.stringify(problem));
        },
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  env = {
    LINESHAFT_KEY: "k",
    LINESHAFT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    PLC: "10.0.0.5",
  };
});
afterEach(async () => {
  meanwhile = null;
  await new Promise((resolve) => server.close(resolve));
  registry.close();
  rmSync(dir, { recursive: true, force: true });
});

async function run(command: keyof typeof configurationCommands, ...args: string[]) {
  let [out, err] = ["", ""];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    const code = await configurationCommands[command](args, env);
    return { code, out: out.replaceAll(dir, ""), err: err.replaceAll(dir, "") };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
function file(name: string, text: string): string {
  const path = join(dir, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const hall = "version: 1\nequipment:\n  # the hall\n  - { path: N, level: site } # north\n";
const plc = `version: 1\nconnections:\n  - name: plc\n    kind: modbus\n    scope: N\n    config:\n      host: \${env:PLC}\n    tags: [{ address: "40001", unit: bar }]\n`;

describe("commands on configuration files", () => {
  test("check: offline, with places; a folder is one configuration", async () => {
    file("plant/a.yaml", hall);
    file("plant/b.yml", plc);
    file("plant/notes.txt", "{");
    env = { PLC: "10.0.0.5" };
    expect(await run("check", join(dir, "plant"))).toEqual({
      code: 0,
      out: "0 models, 1 equipment, 1 connections, 1 tags: no mistakes\n",
      err: "",
    });
    file("plant/b.yml", plc.replace("kind: modbus", "kind: modbuss").replace("unit: bar", "unit: bra"));
    const wrong = await run("check", join(dir, "plant"));
    expect([wrong.code, wrong.out]).toEqual([1, ""]);
    expect(wrong.err.split("\n")).toEqual([
      expect.stringMatching(/^\/plant\/b\.yml:4:11: There is no kind "modbuss"\. Did you mean "modbus"\? /),
      expect.stringMatching(/^\/plant\/b\.yml:8:38: "bra" is no UCUM unit/),
      "",
    ]);
    env = {};
    expect((await run("check", join(dir, "plant"))).err).toContain(
      '/plant/b.yml:7:13: The environment variable "PLC" is not set.',
    );
  });

  test("plan, apply, plan again, and back: exit codes and words", async () => {
    const files = [file("a.yaml", hall), file("b.yaml", plc)];
    const planned = await run("plan", "--exit-code", ...files);
    expect([planned.code, planned.out]).toEqual([
      3,
      "+ equipment N\n+ connection plc\n+ tag plc/40001\n3 to create, 0 to change, 0 to rename, 0 to remove.\n",
    ]);
    expect((await run("plan", ...files)).code).toBe(0);
    expect(registry.configuration(admin).configuration.equipment).toEqual([]);
    expect(await run("apply", ...files)).toMatchObject({
      code: 0,
      out: expect.stringContaining("Applied; the configuration is at revision 4."),
    });
    expect(registry.configuration(admin).configuration.connections?.[0].config).toEqual({ host: "10.0.0.5" });
    expect(await run("plan", "--exit-code", ...files)).toMatchObject({ code: 0, out: "No changes.\n" });
    expect(await run("apply", ...files)).toMatchObject({ code: 0, out: "No changes.\n" });
    file("b.yaml", plc.replace("unit: bar", "unit: mbar"));
    expect((await run("apply", ...files)).out).toContain('~ tag plc/40001: unit "bar" → "mbar"\n');
    expect((await run("apply", "--revision", "1")).out).toContain("- connection plc\n    It stops reading.");
    expect(registry.configuration(admin).configuration.equipment).toEqual([]);
    expect(JSON.parse((await run("plan", "--json", ...files)).out)).toMatchObject({ counts: { create: 3 } });
  });

  test("what only the server knows is told at its place in the files; a change made meanwhile is not overwritten", async () => {
    const path = file(
      "a.yaml",
      "version: 1\nmodels:\n  - { name: m, version: 1.0.0, properties: [{ name: p, kind: alarm }] }\n",
    );
    expect((await run("apply", path)).code).toBe(0);
    file("a.yaml", "version: 1\nmodels:\n  - { name: m, version: 1.0.0, properties: [{ name: q, kind: alarm }] }\n");
    const refused = await run("apply", path);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^\/a\.yaml:3:5: differs from what was published/);
    const other = file("b.yaml", hall);
    meanwhile = (method) => {
      if (method === "PUT") registry.createEquipment(admin, { level: "site", name: "X" });
    };
    const late = await run("apply", other);
    expect([late.code, late.err]).toEqual([1, expect.stringContaining("The configuration is at revision")]);
    expect(registry.configuration(admin).configuration.equipment).toEqual([{ path: "X", level: "site" }]);
  });

  test("export: to the terminal, to a new file, and into a file with its comments", async () => {
    const path = file("all.yaml", hall);
    await run("apply", path);
    registry.createEquipment(admin, { level: "site", name: "S" });
    const now =
      "version: 1\nenterprise: Enterprise\nmodels: []\nequipment:\n  - { path: N, level: site }\n  - { path: S, level: site }\nconnections: []\n";
    expect(await run("export")).toEqual({ code: 0, out: now, err: "" });
    await run("export", "--output", join(dir, "new.yaml"));
    expect(readFileSync(join(dir, "new.yaml"), "utf8")).toBe(now);
    await run("export", "--output", path);
    expect(readFileSync(path, "utf8")).toContain(
      "  # the hall\n  - { path: N, level: site } # north\n  - { path: S, level: site }\n",
    );
    expect((await run("export", "--revision", "2")).out).not.toContain("path: S");
    file("all.yaml", "version: [");
    expect((await run("export", "--output", path)).code).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("version: [");
  });

  test("a wrong command line is said as such", async () => {
    const path = file("a.yaml", hall);
    for (const [command, ...args] of [
      ["check"],
      ["check", join(dir, "none.yaml")],
      ["check", "--url", "x", path],
      ["apply"],
      ["apply", path, "--revision", "1"],
      ["export", "--revision", "x"],
    ] as const)
      await expect(run(command, ...args)).rejects.toBeInstanceOf(UsageError);
    delete (env as { LINESHAFT_KEY?: string }).LINESHAFT_KEY;
    await expect(run("plan", path)).rejects.toThrow("LINESHAFT_KEY");
    env = { LINESHAFT_KEY: "k", LINESHAFT_URL: "http://127.0.0.1:1" };
    await expect(run("plan", path)).rejects.toThrow("does not answer");
  });
});
