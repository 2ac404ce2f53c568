import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logContract, SimDisk } from "@lineshaft/testkit";
import { nodeDisk, openLog } from "./index.ts";

const onRealDisk = (segmentBytes: number, tailBytes: number) => async () => {
  const dir = await mkdtemp(join(tmpdir(), "lineshaft-log-"));
  return {
    open: (clock: Parameters<typeof openLog>[0]["clock"]) =>
      openLog({ dir: join(dir, "log"), disk: nodeDisk(), clock, segmentBytes, tailBytes }),
    dispose: () => rm(dir, { recursive: true }),
  };
};

logContract("segment files, real disk", onRealDisk(128 << 20, 64 << 20));
logContract("segment files, real disk, tiny segments and hardly any memory", onRealDisk(2_000, 1));

logContract("segment files, simulated disk", async () => {
  const disk = new SimDisk();
  return {
    open: (clock) => openLog({ dir: "/log", disk, clock, segmentBytes: 10_000 }),
    dispose: async () => {},
  };
});
