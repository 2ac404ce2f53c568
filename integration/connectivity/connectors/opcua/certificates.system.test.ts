import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectionError } from "@lineshaft/contract/ports";
import { hasPeer, realClock } from "@lineshaft/testkit";
import { DataType } from "node-opcua-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CertificateFolder, thumbprintOf } from "./certificates.ts";
import { Bench } from "./test/bench.ts";
import { TestServer } from "./test/server.ts";

const dayUs = 86_400_000_000;
const uri = "urn:lineshaft:test-server";

describe.skipIf(!hasPeer("openssl"))("A server whose certificate comes from an authority", () => {
  const work = mkdtempSync(join(tmpdir(), "opcua-authority-"));
  const at = (name: string): string => join(work, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: work, stdio: "pipe" });
  const der = (name: string): Buffer => Buffer.from(new X509Certificate(readFileSync(at(`${name}.pem`))).raw);

  /** A certificate of this subject, by an authority or by itself. */
  function issue(name: string, by: string | null, days: number, extensions: string[], key = ["rsa:2048"]): void {
    writeFileSync(at(`${name}.ext`), extensions.join("\n"));
    openssl(
      "req",
      "-newkey",
      ...key,
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-subj",
      `/CN=${name}`,
      "-out",
      `${name}.csr`,
    );
    const signer =
      by === null ? ["-signkey", `${name}.key`] : ["-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial"];
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...signer,
      "-days",
      String(days),
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  }
  const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
  const application = [
    "basicConstraints=CA:FALSE",
    "keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment",
    "extendedKeyUsage=serverAuth,clientAuth",
    `subjectAltName=URI:${uri},DNS:localhost,IP:127.0.0.1`,
  ];

  beforeAll(() => {
    issue("root", null, 100, authority);
    issue("between", "root", 100, authority);
    issue("server", "root", 1_000, application);
    issue("deep", "between", 1_000, application);
    issue("stranger", null, 100, authority);
    issue("leaf-as-issuer", "server", 100, application);
    issue("weak", "root", 100, application, ["rsa:1024"]);
    issue("curve", "root", 100, application, ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
  }, 60_000);
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  /** A folder with these certificates trusted. */
  function folderWith(trusted: readonly string[], issuers: readonly string[] = []): CertificateFolder {
    const state = mkdtempSync(at("state-"));
    for (const [folder, names] of [
      ["trusted", trusted],
      ["issuers", issuers],
    ] as const) {
      mkdirSync(join(state, "pki", folder), { recursive: true });
      for (const name of names) writeFileSync(join(state, "pki", folder, `${thumbprintOf(der(name))}.der`), der(name));
    }
    return new CertificateFolder(state);
  }
  const clockIn = (days: number) => ({ ...realClock, nowUs: () => realClock.nowUs() + days * dayUs });
  async function verdict(folder: CertificateFolder, names: readonly string[], days = 0): Promise<string> {
    const chain = Buffer.concat(names.map(der));
    const error = await folder.verify(chain, uri, clockIn(days)).then(
      () => null,
      (e: unknown) => e,
    );
    return error === null ? "trusted" : (error as ConnectionError).technical.split(":")[0];
  }

  test("F37: one that a trusted authority has issued is trusted, also through authorities that come along or lie with the issuers", async () => {
    expect(await verdict(folderWith(["root"]), ["server"])).toBe("trusted");
    expect(await verdict(folderWith(["root"]), ["deep", "between"])).toBe("trusted");
    expect(await verdict(folderWith(["root"], ["between"]), ["deep"])).toBe("trusted");
    expect(await verdict(folderWith(["root"]), ["deep"])).toBe("BadCertificateUntrusted");
    expect(await verdict(folderWith(["stranger"], ["root"]), ["server", "root"])).toBe("BadCertificateUntrusted");
    expect(await verdict(folderWith(["server"]), ["leaf-as-issuer"]), "an application is no authority").toBe(
      "BadCertificateUntrusted",
    );
  });

  test("F37: an authority whose own certificate has ended vouches for nobody", async () => {
    expect(await verdict(folderWith(["root"]), ["server"], 200)).toBe("BadCertificateIssuerTimeInvalid");
    expect(await verdict(folderWith(["root"]), ["deep", "between"], 200)).toBe("BadCertificateIssuerTimeInvalid");
  });

  test("A43: a key of 1,024 bits or on a curve is refused whoever vouches for it", async () => {
    for (const name of ["weak", "curve"])
      expect(await verdict(folderWith(["root", name]), [name]), name).toBe("BadCertificatePolicyCheckFailed");
  });

  test("F37: a session over a channel with a chain of certificates", async () => {
    const folder = at("serving");
    mkdirSync(folder);
    copyFileSync(at("deep.key"), join(folder, "server-key.pem"));
    writeFileSync(
      join(folder, "server.pem"),
      readFileSync(at("deep.pem"), "utf8") + readFileSync(at("between.pem"), "utf8"),
    );
    const server = await TestServer.start({ folder });
    const bench = await Bench.make(server.url, folder);
    try {
      const trusted = join(bench.stateDir, "pki", "trusted");
      rmSync(trusted, { recursive: true });
      await expect(bench.connect()).rejects.toMatchObject({ fault: "untrusted" });
      mkdirSync(trusted);
      writeFileSync(join(trusted, `${thumbprintOf(der("root"))}.der`), der("root"));
      await bench.connect();
      const tag = server.add("speed", DataType.Double, 7);
      bench.read([tag]);
      await bench.until("a value", () => bench.values(tag).includes(7));
      expect(bench.connector.diagnose()).toMatchObject({ securityMode: "signAndEncrypt" });
    } finally {
      await bench.stop();
      await server.stop();
    }
  });
});
