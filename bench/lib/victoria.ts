import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BatchFrame, FactoryMix, rowsPerBatch } from "../factory-mix.ts";
import { bytesBelow } from "../size.ts";
import { HttpSource } from "./http-source.ts";
import { drive, type PeerResult, peerSources, peerTags } from "./peer.ts";
import { freePort } from "./ports.ts";
import { processFigures } from "./process.ts";
import { round, sleep } from "./stats.ts";

const binary = ["/usr/bin/victoria-metrics", "/usr/sbin/victoria-metrics"].find((path) => existsSync(path));

export const victoriaInstalled = (): boolean => binary !== undefined;

/** Batches of 1,000 in the Prometheus text format, milliseconds; a series a tag. Its acknowledgement is given before anything is on disk. */
export async function runVictoria(dir: string, seconds: number): Promise<PeerResult> {
  const dataDir = join(dir, "victoria");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    binary ?? "victoria-metrics",
    [`-storageDataPath=${dataDir}`, `-httpListenAddr=127.0.0.1:${port}`, "-retentionPeriod=12", "-loggerLevel=ERROR"],
    { stdio: "ignore" },
  );
  try {
    await untilUp(url, child);
    const mix = new FactoryMix(Array.from({ length: peerTags }, (_, i) => i));
    const series = Array.from({ length: peerTags }, (_, i) => {
      const [machine, tag] = FactoryMix.address(i).split("/");
      return `${tag.replace("-", "_")}{machine="${machine}"} `;
    });
    const senders = Array.from({ length: peerSources }, (_, i) => {
      const http = new HttpSource(url, "");
      const frame = mix.newFrame();
      return async (n: number) => {
        mix.fill(frame, (i + (n % 2) * peerSources) % mix.batches, n >> 1, Date.now() * 1000);
        const answer = await http.post("/api/v1/import/prometheus", "text/plain", textOf(frame, series));
        if (answer.status !== 204 && answer.status !== 200) throw new Error(`VictoriaMetrics: HTTP ${answer.status}`);
        return rowsPerBatch;
      };
    });
    const cpu = (): number => processFigures(child.pid as number)?.cpuSeconds ?? 0;
    const cpuBefore = cpu();
    const sent = await drive(senders, seconds);
    const cpuSeconds = round(cpu() - cpuBefore);
    await fetch(`${url}/internal/force_flush`);
    await fetch(`${url}/internal/force_merge`);
    await sleep(3_000);
    return {
      pointsPerSecond: Math.round(sent.points / sent.seconds),
      points: sent.points,
      batchRows: rowsPerBatch,
      ackMs: sent.ackMs,
      cpuSeconds,
      bytesPerPoint: round(bytesBelow(dataDir) / sent.points),
      acknowledged: "in memory (flushed within seconds)",
    };
  } finally {
    child.kill("SIGKILL");
  }
}

function textOf(frame: BatchFrame, series: readonly string[]): string {
  let text = "";
  for (let i = 0; i < rowsPerBatch; i++)
    text += `${series[frame.tag[i]]}${frame.value[i]} ${Math.floor(frame.time[i] / 1000)}\n`;
  return text;
}

async function untilUp(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`VictoriaMetrics ended with ${child.exitCode}.`);
    const up = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return;
    await sleep(100);
  }
  throw new Error("VictoriaMetrics does not come up.");
}
