import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPeer } from "@lineshaft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MqttSessionOptions } from "./session.ts";
import { openMqttSession } from "./session.ts";
import { principal, realClock, type TestBroker, testBroker } from "./test/broker.ts";

const never = new AbortController().signal;

describe.skipIf(!hasPeer("openssl"))("TLS and client certificates", () => {
  let folder = "";
  let broker: TestBroker;
  let port = 0;
  const pem = (name: string): string => readFileSync(join(folder, name), "utf8");
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const issue = (name: string, commonName: string, authority: string): void => {
    const request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl("req", ...request, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${commonName}`);
    const signer = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signer,
      "-days",
      "2",
      "-out",
      `${name}.crt`,
      "-extfile",
      "san.cnf",
    );
  };
  const authority = (name: string): void => {
    const request = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl("req", ...request, "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${name}`);
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lineshaft-tls-"));
    writeFileSync(join(folder, "san.cnf"), "subjectAltName=IP:127.0.0.1\n");
    authority("plant");
    authority("stranger");
    issue("server", "server", "plant");
    issue("press", "press", "plant");
    issue("fake", "press", "stranger");
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
    rmSync(folder, { recursive: true });
  });
  const dial = async (tls: MqttSessionOptions["tls"], change: Partial<MqttSessionOptions> = {}): Promise<string> => {
    const options = { clock: realClock, host: "127.0.0.1", port, version: 5, clientId: "press", clean: true } as const;
    const session = await openMqttSession({ ...options, keepAliveSeconds: 30, qos: 1, tls, ...change }, never);
    await session.publish("acme/press/x", Buffer.from("1"), { qos: 1, retain: false });
    await session.close();
    return "accepted";
  };
  const fault = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.catch((error: { fault?: string; technical?: string }) => `${error.fault}: ${error.technical}`);

  it("a client certificate of the plant's authority is an identity, without a password", async () => {
    const own = { authorities: pem("plant.crt"), certificate: pem("press.crt"), key: pem("press.key") };
    expect(await dial(own)).toBe("accepted");
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
