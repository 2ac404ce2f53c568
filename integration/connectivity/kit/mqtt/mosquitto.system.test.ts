import { hasPeer } from "@lineshaft/testkit";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { type MqttSession, openMqttSession } from "./session.ts";
import type { MqttMessage } from "./source.ts";
import { realClock, until } from "./test/broker.ts";
import { startMosquitto } from "./test/mosquitto.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

async function dial(port: number): Promise<MqttSession> {
  const options = { clock: realClock, host: "127.0.0.1", port, version: 5, clientId: "hub-1", clean: false } as const;
  const session = await openMqttSession({ ...options, keepAliveSeconds: 30, qos: 1 }, new AbortController().signal);
  cleanUp.push(() => session.close());
  return session;
}

describe.skipIf(!hasPeer("mosquitto"))("mosquitto", () => {
  it("F5: what was not acknowledged comes again after the broker was killed; nothing is lost", async () => {
    const mosquitto = await startMosquitto();
    cleanUp.push(() => mosquitto.stop());
    let session = await dial(mosquitto.port);
    const seen = new Set<string>();
    let refuse = true;
    const handler = async (m: MqttMessage): Promise<void> => {
      if (refuse) return new Promise(() => {});
      seen.add(Buffer.from(m.payload).toString());
    };
    await session.claim(["plant/#"], handler);
    const machine = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`, {
      clientId: "press",
      reconnectPeriod: 0,
    });
    for (let i = 0; i < 10; i++) await machine.publishAsync("plant/press/count", String(i), { qos: 1 });
    machine.end(true);
    session.destroy();
    await mosquitto.restart("SIGTERM");
    refuse = false;
    session = await dial(mosquitto.port);
    expect(session.sessionPresent).toBe(true);
    await session.claim(["plant/#"], handler);
    await until(() => seen.size === 10, "all ten");
    await mosquitto.restart("SIGKILL");
    expect(await session.lost).toMatchObject({ fault: "lost" });
  });
});
