import { ConnectionError } from "@lineshaft/contract/ports";
import { describe, expect, test } from "vitest";
import { type OpcuaConfig, readConfig } from "./config.ts";
import { chooseEndpoint, type EndpointOffer } from "./endpoints.ts";

const endpointUrl = "opc.tcp://plc:4840";
const modes = { none: 1, sign: 2, signAndEncrypt: 3 };
const uri = (policy: string): string => `http://opcfoundation.org/UA/SecurityPolicy#${policy}`;
const offer = (policy: string, mode: keyof typeof modes, tokens = [0, 1], tokenPolicy = ""): EndpointOffer => ({
  endpointUrl: "opc.tcp://evil.example:4840",
  securityMode: modes[mode],
  securityPolicyUri: uri(policy),
  securityLevel: 255,
  userIdentityTokens: tokens.map((tokenType) => ({ tokenType, securityPolicyUri: tokenPolicy })),
});
const config = (more: Partial<OpcuaConfig> = {}): OpcuaConfig => readConfig({ endpointUrl, ...more });
const user = { kind: "user", userName: "u", password: "pw" } as const;
const fails = (work: () => unknown): ConnectionError => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionError);
    return error as ConnectionError;
  }
  throw new Error("It did not fail.");
};

describe("The endpoint that is chosen", () => {
  const all = [
    offer("None", "none"),
    offer("Basic256", "signAndEncrypt"),
    offer("Basic128Rsa15", "signAndEncrypt"),
    offer("Aes256_Sha256_RsaPss", "sign"),
    offer("Basic256Sha256", "signAndEncrypt"),
    offer("Aes128_Sha256_RsaOaep", "signAndEncrypt"),
  ];

  test("is the strongest that both know: encryption before signing only", () => {
    expect(chooseEndpoint(config(), all)).toMatchObject({ policy: "Aes128_Sha256_RsaOaep", mode: "signAndEncrypt" });
    expect(chooseEndpoint(config(), [...all, offer("Aes256_Sha256_RsaPss", "signAndEncrypt")]).policy).toBe(
      "Aes256_Sha256_RsaPss",
    );
    expect(chooseEndpoint(config({ securityMode: "sign" }), all).policy).toBe("Aes256_Sha256_RsaPss");
    expect(chooseEndpoint(config({ securityPolicy: "Basic256Sha256" }), all).policy).toBe("Basic256Sha256");
  });

  test("is never one of the broken policies, nor None by itself", () => {
    const error = fails(() => chooseEndpoint(config(), all.slice(0, 3)));
    expect(error.fault).toBe("misconfigured");
    expect(error.technical).toBe("offered: None/none, Basic256/signAndEncrypt, Basic128Rsa15/signAndEncrypt");
    expect(chooseEndpoint(config({ securityPolicy: "none", allowInsecure: true }), all).policy).toBe("None");
  });

  test("takes the identity that is configured", () => {
    const signed = offer("Basic256Sha256", "sign", [1]);
    expect(
      chooseEndpoint(config({ identity: user }), [offer("Aes256_Sha256_RsaPss", "signAndEncrypt", [0]), signed])
        .endpoint,
    ).toBe(signed);
    expect(fails(() => chooseEndpoint(config(), [signed])).message).toMatch(/anonymous/);
  });

  test("never shows a password: no None, and no signed channel whose tokens are plain (A47)", () => {
    const plain = offer("Basic256Sha256", "sign", [1], uri("None"));
    expect(fails(() => chooseEndpoint(config({ identity: user }), [plain])).technical).toMatch(/None/);
    const sealed = offer("Basic256Sha256", "sign", [1], uri("Basic256Sha256"));
    expect(chooseEndpoint(config({ identity: user }), [plain, sealed]).endpoint).toBe(sealed);
    expect(fails(() => config({ securityPolicy: "none", allowInsecure: true, identity: user })).fault).toBe(
      "misconfigured",
    );
  });

  test("a thousand endpoints are an attack, of which the first are looked at", () => {
    expect(chooseEndpoint(config(), new Array(100_000).fill(all[4])).policy).toBe("Basic256Sha256");
  });
});

describe("The configuration", () => {
  test.each([
    ["no URL", {}],
    ["another protocol", { endpointUrl: "http://plc" }],
    ["a password in the URL", { endpointUrl: "opc.tcp://user:pw@plc" }],
    ["None without consent", { endpointUrl, securityPolicy: "none" }],
    ["a policy that is broken", { endpointUrl, securityPolicy: "Basic256" }],
    ["a queue of one", { endpointUrl, queueSize: 1 }],
    ["an unknown field", { endpointUrl, trustAll: true }],
  ])("refuses %s", (_, given) => {
    expect(fails(() => readConfig(given)).fault).toBe("misconfigured");
  });
});
