import type { IClientOptions, MqttClient } from "mqtt";
import type { Waiting } from "./end.ts";

export interface MqttLinkOptions {
  url: string;
  /** The password at the broker; empty: none. */
  key?: string;
  /** Asked anew for each CONNECT: a Sparkplug will carries another number each time. */
  connectOptions(): IClientOptions;
  up(client: MqttClient): void;
  message?(topic: string, payload: Buffer): void;
  down(): void;
  waiting: Waiting;
  say(text: string): void;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
const leaveMs = 1_000;

/** A device's connection to its broker: one client for each session, so that nothing of the last one lives on; tries for ever, with growing pauses. */
export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #stopping = new AbortController();
  #client: MqttClient | null = null;
  #blocked = new AbortController();
  #blockedMs = 0;
  #ran: Promise<void> = Promise.resolve();

  constructor(options: MqttLinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ran = this.#run();
  }

  /** The network goes away without a word, and comes back after `ms`. */
  cut(ms: number): void {
    this.#blockedMs = ms;
    // A pause from before must not outlast the cut, nor end it.
    this.#blocked.abort();
    this.#blocked = new AbortController();
    this.#client?.stream.destroy();
  }

  /** DISCONNECT, then a new session at once. */
  reconnect(): void {
    void this.#leave();
  }

  /** DISCONNECT for good. What was published before is still sent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#blocked.abort();
    await this.#leave();
    await this.#ran;
  }

  /** The last messages get a moment for their acknowledgement: a broker that has just gone will never send it. */
  #leave(): Promise<void> {
    const client = this.#client;
    if (client === null) return Promise.resolve();
    return new Promise((resolve) => {
      const force = this.#options.waiting.alarm(leaveMs, () => client.end(true, () => resolve()));
      client.end(!client.connected, () => {
        force.cancel();
        resolve();
      });
      client.once("close", () => {
        force.cancel();
        resolve();
      });
    });
  }

  async #run(): Promise<void> {
    const { connect } = await import("mqtt");
    const { waiting, say, url } = this.#options;
    const { signal } = this.#stopping;
    let pauseMs = firstPauseMs;
    let told = false;
    while (!signal.aborted) {
      if (this.#blockedMs > 0) {
        const ms = this.#blockedMs;
        this.#blockedMs = 0;
        await waiting.sleep(ms, this.#blocked.signal);
        continue;
      }
      const wasUp = await this.#session(connect, () => {
        if (told) say(`${shown(url)}: connected again.`);
        told = false;
      });
      if (signal.aborted) break;
      if (wasUp) pauseMs = firstPauseMs;
      else if (!told) {
        told = true;
        say(`${shown(url)}: no broker answers; trying on.`);
      }
      if (this.#blockedMs > 0) continue;
      await waiting.sleep(pauseMs, this.#blocked.signal);
      if (!wasUp) pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  /** One CONNECT and all that follows, until the connection is closed. True when it was accepted. */
  #session(connect: (url: string, options: IClientOptions) => MqttClient, connected: () => void): Promise<boolean> {
    const { url, key = "", up, down, message, connectOptions } = this.#options;
    return new Promise((resolve) => {
      const client = connect(url, {
        protocolVersion: 4,
        clean: true,
        keepalive: 10,
        connectTimeout: 5_000,
        reconnectPeriod: 0,
        resubscribe: false,
        queueQoSZero: false,
        ...(key === "" ? {} : { username: "plant", password: key }),
        ...connectOptions(),
      });
      this.#client = client;
      let wasUp = false;
      client.on("connect", () => {
        wasUp = true;
        connected();
        up(client);
      });
      client.on("message", (topic, payload) => message?.(topic, payload));
      // Why a connection ended does not matter here: the next attempt tells whether it lasts.
      client.on("error", () => undefined);
      let over = false;
      const end = (): void => {
        if (over) return;
        over = true;
        this.#client = null;
        if (wasUp) down();
        client.end(true);
        resolve(wasUp);
      };
      client.once("close", end);
      // A client that is ended while it still connects says only this.
      client.once("end", end);
    });
  }
}

/** A URL without its user and password. */
function shown(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
