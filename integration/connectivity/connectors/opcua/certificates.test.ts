import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTimeUs } from "@lineshaft/contract/api";
import { type Clock, ConnectionError } from "@lineshaft/contract/ports";
import { realClock } from "@lineshaft/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CertificateFolder } from "./certificates.ts";
import { readRevocationList } from "./revocation.ts";

/** Made once with OpenSSL: two servers of one authority, the second of them revoked. Valid until 2125. */
const made = (name: string): Buffer => readFileSync(new URL(`test/revocation/${name}`, import.meta.url));
const der = (name: string): Buffer => Buffer.from(new X509Certificate(made(name)).raw);

describe("the certificates of a kind", () => {
  let dir: string;
  let folder: CertificateFolder;
  const at = (time: string): Clock => ({ ...realClock, nowUs: () => parseTimeUs(time) as number });
  const then = at("2030-01-01T00:00:00Z");
  const code = async (name: string, clock = then): Promise<string> => {
    try {
      await folder.verify(der(name), null, clock);
      return "trusted";
    } catch (error) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect((error as ConnectionError).fault).toBe("untrusted");
      return (error as ConnectionError).technical.split(":")[0];
    }
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "certificates-"));
    folder = new CertificateFolder(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test("a rejected one is trusted by a person, and distrusted again", async () => {
    expect(await code("good.pem")).toBe("BadCertificateUntrusted");
    const { own, trusted, rejected } = await folder.list();
    expect([own, trusted]).toEqual([null, []]);
    expect(rejected).toMatchObject([
      { subject: "CN=Press good", issuer: "CN=Plant CA", applicationUri: "urn:press:good" },
    ]);
    const spelled = rejected[0].thumbprintSha1.toLowerCase().replace(/(..)(?=.)/g, "$1:");
    expect(await folder.trust(spelled)).toEqual(rejected[0]);
    expect(await code("good.pem")).toBe("trusted");
    expect(await folder.distrust("00")).toBe(null);
    expect(await folder.distrust(rejected[0].thumbprint)).toEqual(rejected[0]);
    expect(await code("good.pem")).toBe("BadCertificateUntrusted");
    expect((await folder.list()).rejected).toHaveLength(1);
  });

  const trustBoth = async (): Promise<void> => {
    for (const name of ["good.pem", "revoked.pem"]) await code(name);
    for (const { thumbprint } of (await folder.list()).rejected) await folder.trust(thumbprint);
  };

  test("F37: one that has expired, or is not valid yet, is refused with its code though it is trusted", async () => {
    await trustBoth();
    const told = async (clock: Clock): Promise<string> =>
      folder.verify(der("good.pem"), null, clock).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await code("good.pem", at("2126-01-01T00:00:00Z"))).toBe("BadCertificateTimeInvalid");
    expect(await told(at("2126-01-01T00:00:00Z"))).toContain("expired");
    expect(await code("good.pem", at("2020-01-01T00:00:00Z"))).toBe("BadCertificateTimeInvalid");
    expect(await told(at("2020-01-01T00:00:00Z"))).toContain("not valid yet");
    expect(await code("good.pem")).toBe("trusted");
  });

  test("F37: one that its authority has revoked is refused, its neighbours are not; the list takes effect at once", async () => {
    await trustBoth();
    expect(await code("revoked.pem")).toBe("trusted");
    mkdirSync(join(dir, "pki", "crl"));
    writeFileSync(join(dir, "pki", "crl", "plant.crl"), made("ca.crl"));
    expect(await code("revoked.pem")).toBe("BadCertificateRevoked");
    expect(await code("good.pem")).toBe("trusted");
    writeFileSync(join(dir, "pki", "crl", "broken.crl"), "rubbish");
    expect(await code("good.pem")).toBe("BadCertificateRevocationUnknown");
  });

  test("a revocation list is read as DER and PEM; anything else is none, and never hangs or throws", () => {
    const pem = made("ca.crl");
    const bytes = Buffer.from(pem.toString().replace(/-----[^-]+-----/g, ""), "base64");
    for (const file of [pem, bytes]) expect([...(readRevocationList(file)?.serials ?? [])]).toEqual(["A1C"]);
    expect(readRevocationList(der("good.pem"))).toBe(null);
    for (let i = 0; i < bytes.length; i++) {
      readRevocationList(bytes.subarray(0, i));
      const hurt = Buffer.from(bytes);
      hurt[i] ^= 0xff;
      readRevocationList(hurt);
    }
  });
});
