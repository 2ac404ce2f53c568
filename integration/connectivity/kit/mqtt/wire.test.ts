import { describe, expect, it } from "vitest";
import type { MqttMessage } from "./source.ts";
import { tapped } from "./wire.ts";

describe("messages of the embedded broker", () => {
  it("are shown as packets while somebody looks, and handed on either way", async () => {
    let deliver: (message: MqttMessage) => Promise<void> = async () => undefined;
    const published: string[] = [];
    const shown: [string, Uint8Array, string | undefined][] = [];
    let watched = false;
    const source = tapped(
      {
        lost: new Promise(() => undefined),
        claim: async (_, handler) => {
          deliver = handler;
          return { release: async () => undefined };
        },
        publish: async (topic) => void published.push(topic),
        close: () => undefined,
        diagnose: () => ({ realm: "default" }),
      },
      () => (watched ? (...what) => void shown.push(what as (typeof shown)[number]) : undefined),
    );
    const handed: string[] = [];
    await source.claim(["a/#"], async ({ topic }) => void handed.push(topic));
    const message = {
      topic: "a/b",
      payload: Buffer.from("21.5"),
      qos: 1,
      retain: true,
      dup: false,
      packetId: 7,
    } as const;
    await deliver({ ...message, clientId: "press", receivedUs: 1 });
    watched = true;
    await deliver({ ...message, clientId: "press", receivedUs: 2 });
    await source.publish("a/c", Buffer.from("x"), { qos: 0, retain: false });
    expect([handed, published]).toEqual([["a/b", "a/b"], ["a/c"]]);
    expect(shown.map(([direction, , note]) => [direction, note])).toEqual([
      ["in", "PUBLISH, a/b, QoS 1, retained, 4 bytes"],
      ["out", "PUBLISH, a/c, QoS 0, 1 bytes"],
    ]);
    // MQTT 3.1.1, 3.3: type 3, QoS 1, retained; 11 bytes; topic, packet identifier, payload.
    expect(Buffer.from(shown[0][1]).toString("latin1")).toBe("\x33\x0b\x00\x03a/b\x00\x0721.5");
    expect(source.diagnose()).toEqual({ realm: "default" });
  });
});
