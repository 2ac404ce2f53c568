/** A raw server with its machine in a process of its own, for tests and benches that kill or freeze it; its job comes by message. */
import { realClock } from "@lineshaft/testkit";
import { RawMachine } from "./raw-machine.ts";
import { RawServer } from "./raw-server.ts";

export interface RawMachineJob {
  port: number;
  startUs: number;
  stepUs: number;
  tags: number;
  withHistory: number;
}

process.once("message", async (job: RawMachineJob) => {
  const nowUs = (): number => realClock.nowUs();
  const machine = new RawMachine({ ...job, nowUs });
  const server = await RawServer.start({ port: job.port, plant: machine, nowUs });
  process.send?.({ event: "ready", port: server.port });
});
process.on("disconnect", () => process.exit(0));
