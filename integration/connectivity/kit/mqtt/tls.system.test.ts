import { hasPeer } from "@lineshaft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MqttSessionOptions } from "./session.ts";
import { openMqttSession } from "./session.ts";
import { principal, realClock, type TestBroker, testBroker } from "./test/broker.ts";
import { TestCertificates } from "./test/certificates.ts";

const never = new AbortController().signal;

describe.skipIf(!hasPeer("openssl"))("TLS and client certificates", () => {
  let certificates: TestCertificates;
  let broker: TestBroker;
  let port = 0;
  let rests: { of: string; subject: string; validToUs: number }[] = [];
  const pem = (name: string): string => certificates.pem(name);
  beforeAll(async () => {
    certificates = new TestCertificates();
    certificates.authority("plant");
    certificates.authority("stranger");
    certificates.issue("server", "server", "plant");
    certificates.issue("press", "press", "plant");
    certificates.issue("fake", "press", "stranger");
    broker = await testBroker([principal("press"), principal("hub")]);
    port = await broker.broker.listen({
      host: "127.0.0.1",
      port: 0,
      tls: {
        key: pem("server.key"),
        certificate: pem("server.crt"),
        authorities: pem("plant.crt"),
        clientCertificate: "optional",
      },
    });
  });
  afterAll(async () => {
    await broker.close();
    certificates.remove();
  });
  const dial = async (tls: MqttSessionOptions["tls"], change: Partial<MqttSessionOptions> = {}): Promise<string> => {
    const options = { clock: realClock, host: "127.0.0.1", port, version: 5, clientId: "press", clean: true } as const;
    const session = await openMqttSession({ ...options, keepAliveSeconds: 30, qos: 1, tls, ...change }, never);
    await session.publish("acme/press/x", Buffer.from("1"), { qos: 1, retain: false });
    rests = session.diagnose().certificates as typeof rests;
    await session.close();
    return "accepted";
  };
  const fault = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.catch((error: { fault?: string; technical?: string }) => `${error.fault}: ${error.technical}`);

  it("a client certificate of the plant's authority is an identity, without a password", async () => {
    const own = { authorities: pem("plant.crt"), certificate: pem("press.crt"), key: pem("press.key") };
    expect(await dial(own)).toBe("accepted");
    // F37: whose end the connection would share.
    expect(rests).toMatchObject([
      { of: "own", subject: expect.stringContaining("press"), thumbprint: expect.stringMatching(/^[0-9A-F]{64}$/) },
      { of: "peer", subject: expect.stringContaining("server"), validToUs: expect.any(Number) },
    ]);
    expect(broker.events.some((e) => e.event === "connected" && e.principal === "press")).toBe(true);
  });

  it("a certificate of the same name from elsewhere is none", async () => {
    const fake = { authorities: pem("plant.crt"), certificate: pem("fake.crt"), key: pem("fake.key") };
    expect(await fault(dial(fake))).toMatch(/^unauthorised: CONNACK 0x87/);
  });

  it("a password over TLS; a server whose authority is not known is not trusted", async () => {
    const login = { clientId: "hub", username: "hub", password: "hub" };
    expect(await dial({ authorities: pem("plant.crt") }, login)).toBe("accepted");
    expect(await fault(dial({ authorities: pem("stranger.crt") }, login))).toMatch(/^untrusted: /);
    expect(await fault(dial({}, login))).toMatch(/^untrusted: /);
  });

  it("no TLS at a TLS port, and TLS at a plain one, are said as such", async () => {
    const login = { clientId: "hub", username: "hub", password: "hub", connectTimeoutMs: 500 };
    expect(await fault(dial(undefined, login))).toMatch(/^(protocol|unreachable): /);
    expect(await fault(dial({}, { ...login, port: broker.port }))).toMatch(/^(protocol|unreachable): /);
  });
});
