import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./ports.ts";

/** What is measured; it is no part of the product, so it is installed on demand and aside. */
const version = "4.1.8";

/** Installs Node-RED below `cacheDir` unless it is there; where its program is. Throws when the registry cannot be reached. */
export function installNodeRed(cacheDir: string): string {
  const folder = join(cacheDir, `node-red-${version}`);
  const program = join(folder, "node_modules", "node-red", "red.js");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel", "error"];
  execFileSync("npm", ["install", ...options, `node-red@${version}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return program;
}

/** MQTT (QoS 1) → function → file, a line a message: the flow of the tutorials. */
export async function startNodeRed(program: string, dir: string, brokerPort: number, file: string) {
  const userDir = join(dir, "node-red");
  mkdirSync(userDir, { recursive: true });
  const broker = {
    id: "n1",
    type: "mqtt-broker",
    broker: "127.0.0.1",
    port: String(brokerPort),
    protocolVersion: "4",
  };
  const write = { filename: file, filenameType: "str", appendNewline: true, overwriteFile: "false", encoding: "none" };
  const flow = [
    { id: "n0", type: "tab", label: "Line" },
    { ...broker, clientid: "node-red", autoConnect: true, usetls: false, keepalive: "60", cleansession: true },
    {
      id: "n2",
      type: "mqtt in",
      x: 100,
      y: 100,
      z: "n0",
      topic: "#",
      qos: "1",
      datatype: "utf8",
      broker: "n1",
      inputs: 0,
      wires: [["n3"]],
    },
    {
      ...{ id: "n3", type: "function", x: 300, y: 100, z: "n0", outputs: 1, wires: [["n4"]] },
      func: "msg.payload = Date.now() + ' ' + msg.topic + ' ' + msg.payload; return msg;",
    },
    { id: "n4", type: "file", x: 500, y: 100, z: "n0", ...write, wires: [[]] },
  ];
  writeFileSync(join(userDir, "flows.json"), JSON.stringify(flow));
  const settings = {
    ...{ uiHost: "127.0.0.1", uiPort: await freePort(), flowFile: "flows.json", credentialSecret: false },
    ...{ httpAdminRoot: false, httpNodeRoot: false, telemetry: { enabled: false, updateNotification: false } },
    logging: { console: { level: "error", metrics: false, audit: false } },
  };
  // Not .js: that is an ES module in here.
  const settingsFile = join(userDir, "settings.cjs");
  writeFileSync(settingsFile, `module.exports = ${JSON.stringify(settings)};`);
  return spawn(process.execPath, [program, "--userDir", userDir, "--settings", settingsFile], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
