import type { Principal } from "@lineshaft/contract/api";
import { describe, expect, test } from "vitest";
import { readConfig, UsageError } from "./config.ts";
import { mqttRights } from "./mqtt-broker.ts";

const key = (role: Principal["role"], ...scopes: string[]): Principal => ({
  id: "0123456789ab",
  kind: "key",
  name: "press",
  tenant: 7,
  role,
  scopes,
});
const templates = ["{scope}/#", "spBv1.0/{group}/#"];

describe("what a key may do at the broker", () => {
  test("a scope is a prefix of topics, and a Sparkplug group", () => {
    const rights = mqttRights(key("engineer", "Northfield/Line 1"), templates);
    expect(rights.realm).toBe("7");
    expect(rights.publish).toEqual(["Northfield/Line 1/#", "spBv1.0/Northfield:Line 1/#"]);
    expect(rights.subscribe).toEqual(expect.arrayContaining(rights.publish as string[]));
  });

  test("without a scope it is all of the tenant; commands are for those who configure", () => {
    expect(mqttRights(key("source", ""), templates)).toMatchObject({
      publish: ["#", "spBv1.0/+/#"],
      publishNot: ["spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#", "spBv1.0/STATE/#"],
      subscribe: ["spBv1.0/+/NCMD/#", "spBv1.0/+/DCMD/#", "spBv1.0/STATE/+"],
    });
    expect(mqttRights(key("engineer", ""), templates).publishNot).toEqual([]);
    expect(mqttRights(key("viewer", ""), templates)).toMatchObject({ publish: [], subscribe: ["#", "spBv1.0/+/#"] });
  });

  test("no scope, no rights; and a name never becomes a wildcard or another group", () => {
    for (const scope of [[], ["+"], ["Hall/#"], ["A+B"]])
      expect(mqttRights(key("admin", ...scope), templates)).toMatchObject({ publish: [] });
    // "a:b" is the group of a/b, so the site "a:b" has none.
    expect(mqttRights(key("source", "a:b"), templates).publish).toEqual(["a:b/#"]);
  });

  test("the operator's templates", () => {
    const rights = mqttRights(key("source", "N/1"), ["{tenant}/{scope}/#", "devices/{key}/#"]);
    expect(rights.publish).toEqual(["7/N/1/#", "devices/0123456789ab/#"]);
    expect(mqttRights(key("source", ""), ["plant/{scope}/#"]).publish).toEqual(["plant/#"]);
  });
});

describe("settings of the broker", () => {
  const mqtt = (...args: string[]) => readConfig("up", args, {}).mqtt;
  test("off, unless asked for; the demo has it on a free port", () => {
    expect(mqtt()).toBeNull();
    expect(readConfig("demo", [], {}).mqtt).toMatchObject({ host: "127.0.0.1", port: 0, tls: null });
    expect(readConfig("demo", [], { LINESHAFT_MQTT_PORT: "off" }).mqtt).toBeNull();
    expect(mqtt("--mqtt-port", "1883")).toMatchObject({ port: 1883 });
  });

  test("without TLS it stays on this machine, unless that is wanted in so many words", () => {
    expect(() => mqtt("--mqtt-port", "1883", "--mqtt-host", "0.0.0.0")).toThrow(/would send keys in the clear/);
    expect(mqtt("--mqtt-port", "1883", "--mqtt-host", "0.0.0.0", "--mqtt-plain", "anywhere")).toMatchObject({
      tls: null,
    });
    const tls = ["--mqtt-tls-cert", "c.pem", "--mqtt-tls-key", "k.pem"];
    expect(mqtt("--mqtt-port", "8883", "--mqtt-host", "0.0.0.0", ...tls)?.tls).toEqual({
      certificate: "c.pem",
      key: "k.pem",
      clientCertificate: "none",
    });
    expect(mqtt("--mqtt-port", "8883", ...tls, "--mqtt-tls-ca", "ca.pem")?.tls).toMatchObject({
      authorities: "ca.pem",
      clientCertificate: "optional",
    });
  });

  test.each([
    [["--mqtt-tls-cert", "c.pem"]],
    [["--mqtt-tls-ca", "ca.pem"]],
    [["--mqtt-tls-cert", "c", "--mqtt-tls-key", "k", "--mqtt-client-cert", "required"]],
    [["--mqtt-client-cert", "perhaps"]],
    [["--mqtt-plain", "yes"]],
    [["--mqtt-port", "on"]],
  ])("a half is refused: %j", (args) => {
    expect(() => mqtt("--mqtt-port", "1883", ...args)).toThrow(UsageError);
  });
});
