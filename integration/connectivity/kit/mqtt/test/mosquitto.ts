import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Mosquitto {
  port: number;
  /** The same again on the same port, as after a crash of the broker (F5). */
  restart(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** A mosquitto of our own on a free port, anonymous, with its sessions on disk. */
export async function startMosquitto(): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "lineshaft-mosquitto-"));
  const port = await freePort();
  const file = join(folder, "mosquitto.conf");
  const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence true", "autosave_interval 1"];
  writeFileSync(
    file,
    // By default it silently drops what a subscriber does not fetch at once, beyond 1000 messages.
    [
      ...lines,
      "autosave_on_changes true",
      "max_queued_messages 0",
      `persistence_location ${folder}/`,
      "user root",
      "",
    ].join("\n"),
  );
  let child = await launch(file, port);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  };
  return {
    port,
    restart: async (signal) => {
      await end(signal);
      child = await launch(file, port);
    },
    stop: async () => {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(file: string, port: number): Promise<ChildProcess> {
  const child = spawn("/usr/sbin/mosquitto", ["-c", file], { stdio: "ignore" });
  for (let attempt = 0; attempt < 100; attempt++) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (answers) return child;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error("mosquitto does not answer.");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
