/** A server in a process of its own, for tests that kill it: `node server-main.ts <folder> <port> <start of the machine, ms>`. */
import { setTimeout as sleep } from "node:timers/promises";
import { realClock } from "@lineshaft/testkit";
import { DataType } from "node-opcua-client";
import { TestServer } from "./server.ts";

const [folder, port, startText] = process.argv.slice(2);
const startMs = Number(startText);
const stepMs = 50;
const server = await TestServer.start({ folder, port: Number(port) });
const kept = server.add("kept", DataType.Int32, 0, { historizing: true, timeMs: startMs });
const plain = server.add("plain", DataType.Int32, 0, { timeMs: startMs });
// A machine with a buffer: at its start it knows everything since the beginning.
const countAt = (ms: number): number => Math.floor((ms - startMs) / stepMs);
let next = 1;
const step = (): void => {
  for (; next <= countAt(realClock.nowUs() / 1000); next++) {
    server.set(kept, DataType.Int32, next, startMs + next * stepMs);
    server.set(plain, DataType.Int32, next, startMs + next * stepMs);
  }
};
step();
const recipe = server.addRecipe("recipe", { speed: 1.5, count: [0x00200000, 1], label: "A" });
process.send?.({ kept, plain, recipe, port: server.port });
for (;;) {
  await sleep(stepMs / 2);
  step();
}
