import type { Micros, WireRecord } from "@lineshaft/contract/api";
import type { Connector, ConnectorSink } from "@lineshaft/contract/ports";
import { type IPublishPacket, parser } from "mqtt-packet";
import type { MqttMessage, MqttSource } from "./source.ts";
import { topicMatches } from "./topic.ts";

class CaptureEnd extends Error {
  override name = "CaptureEnd";
}

/** The messages that a capture received, as a source that hands them over one after the other and then ends. What is published to it goes nowhere. */
class CaptureSource implements MqttSource {
  readonly lost: Promise<Error>;
  readonly #records: Iterable<WireRecord>;
  readonly #version: 4 | 5;
  #end: (error: Error) => void = () => undefined;

  constructor(records: Iterable<WireRecord>, version: 4 | 5) {
    this.#records = records;
    this.#version = version;
    this.lost = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async claim(filters: readonly string[], handler: (message: MqttMessage) => Promise<void>) {
    void this.#play(filters, handler).then(
      () => this.#end(new CaptureEnd()),
      (error: Error) => this.#end(error),
    );
    return { release: async () => undefined };
  }

  async #play(filters: readonly string[], handler: (message: MqttMessage) => Promise<void>): Promise<void> {
    // The claim stands before the first message comes.
    await Promise.resolve();
    for (const record of this.#records)
      for (const packet of publishedIn(record, this.#version))
        if (filters.some((filter) => topicMatches(filter, packet.topic))) await handler(messageOf(packet, record.t));
  }

  async publish(): Promise<void> {}
  close(): void {}
  diagnose(): Record<string, unknown> {
    return { capture: true };
  }
}

/** Lets a connector read a capture instead of a server. Ends with its last message; what the end itself would cause is no part of the capture. */
export async function readCapture(
  make: (source: MqttSource & { close(): void; diagnose(): Record<string, unknown> }) => Connector,
  records: Iterable<WireRecord>,
  version: 4 | 5,
  sink: ConnectorSink,
): Promise<void> {
  const source = new CaptureSource(records, version);
  let over = false;
  void source.lost.then(() => {
    over = true;
  });
  const until: ConnectorSink = { ...sink, stale: async (...what) => (over ? undefined : sink.stale(...what)) };
  const connector = make(source);
  const stop = new AbortController();
  try {
    await connector.connect(stop.signal);
    await connector.read([], null, until, stop.signal);
  } catch (error) {
    if (!(error instanceof CaptureEnd)) throw error;
  } finally {
    await connector.close();
  }
}

function publishedIn({ dir, b64 }: WireRecord, protocolVersion: 4 | 5): IPublishPacket[] {
  if (dir !== "in") return [];
  const packets: IPublishPacket[] = [];
  const decoder = parser({ protocolVersion });
  decoder.on("packet", (packet) => {
    if (packet.cmd === "publish") packets.push(packet);
  });
  decoder.on("error", (error: Error) => {
    throw error;
  });
  decoder.parse(Buffer.from(b64, "base64"));
  return packets;
}

const messageOf = (
  { topic, payload, qos, retain, dup, messageId }: IPublishPacket,
  receivedUs: Micros,
): MqttMessage => ({
  topic,
  payload: payload as Buffer,
  qos,
  retain,
  dup,
  packetId: messageId ?? null,
  clientId: null,
  receivedUs,
});
