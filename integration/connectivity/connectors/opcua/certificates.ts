import { createHash, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Clock, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import type { OPCUAClientOptions } from "node-opcua-client";
import type { Opcua } from "./library.ts";

/** A server that changes its certificate at each look must not fill the disk. */
const rejectedMax = 100;
const keyBitsMin = 2048;
const ownValidityDays = 5 * 365;
const dayUs = 86_400_000_000;

type KeyPair = NonNullable<OPCUAClientOptions["certificateKeyPairProvider"]>;

/** What a person compares before trusting. Thumbprints are upper-case hex; SHA-1 is what most servers' tools show. */
export interface CertificateSummary {
  thumbprint: string;
  thumbprintSha1: string;
  subject: string;
  /** As the certificate writes it. */
  validity: string;
  validFromUs: number;
  validToUs: number;
}

/** Certificates of all connections that share a folder: ours with its key, and those of servers, trusted or rejected, one file each by SHA-256 thumbprint. */
export class CertificateFolder {
  readonly #folder: string;
  #own: Promise<{ keyPair: KeyPair; uri: string; summary: CertificateSummary }> | undefined;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, "pki");
  }

  /** Our certificate and key, made on first use. Kept for good: servers trust this one. */
  own(opcua: Opcua): Promise<{ keyPair: KeyPair; uri: string; summary: CertificateSummary }> {
    this.#own ??= this.#loadOwn(opcua).catch((error: unknown) => {
      this.#own = undefined;
      throw new ConnectionError(
        "misconfigured",
        "Our own certificate can be neither read nor made.",
        `Check that ${this.#folder} is whole and may be written.`,
        (error as Error).message,
        { cause: error },
      );
    });
    return this.#own;
  }

  async #loadOwn(opcua: Opcua): Promise<{ keyPair: KeyPair; uri: string; summary: CertificateSummary }> {
    const folder = join(this.#folder, "own");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const keyFile = join(folder, "private-key.pem");
    const certificateFile = join(folder, "certificate.pem");
    let [key, certificate] = await Promise.all([readText(keyFile), readText(certificateFile)]);
    if (key === null || certificate === null) {
      [key, certificate] = await makeOwn(opcua);
      // The certificate last: it says that the pair is complete.
      await writeWhole(keyFile, key, 0o600);
      await writeWhole(certificateFile, certificate, 0o644);
    }
    const x509 = new X509Certificate(certificate);
    const uri = /URI:([^,\s]+)/.exec(x509.subjectAltName ?? "")?.[1];
    if (uri === undefined) throw new Error(`${certificateFile} carries no application URI.`);
    const der = Buffer.from(x509.raw);
    const privateKey = opcua.crypto_utils.makePrivateKeyFromPem(key);
    const keyPair: KeyPair = {
      getCertificate: () => der,
      getCertificateChain: () => [der],
      getPrivateKey: () => privateKey,
    };
    return { keyPair, uri, summary: summarise(x509) };
  }

  /**
   * Throws "untrusted" unless a person has trusted exactly this certificate, and it is valid now, strong enough and of the application that the server
   * says to be. An unknown one is kept as rejected, so that it can be trusted afterwards.
   */
  async verify(chain: Uint8Array, applicationUri: string | null, clock: Clock): Promise<CertificateSummary> {
    let x509: X509Certificate;
    try {
      x509 = new X509Certificate(leaf(chain));
    } catch (error) {
      throw untrusted("The server's certificate cannot be read.", "BadCertificateInvalid", null, { cause: error });
    }
    const summary = summarise(x509);
    const bits = x509.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (x509.publicKey.asymmetricKeyType !== "rsa" || bits < keyBitsMin)
      throw untrusted(
        `The server's key has ${bits} bits; ${keyBitsMin} is the least.`,
        "BadCertificatePolicyCheckFailed",
        summary,
      );
    const names = (x509.subjectAltName ?? "").split(", ");
    if (applicationUri !== null && !names.includes(`URI:${applicationUri}`))
      throw untrusted("The server's certificate belongs to another application.", "BadCertificateUriInvalid", summary);
    const now = clock.nowUs();
    if (now < summary.validFromUs || now > summary.validToUs)
      throw untrusted("The server's certificate is not valid today.", "BadCertificateTimeInvalid", summary);
    const trusted = await readBytes(join(this.#folder, "trusted", fileName(summary.thumbprint)));
    // The bytes themselves, not the thumbprint: a file may have been put there by hand under any name.
    if (trusted === null || !trusted.equals(x509.raw)) {
      await this.#reject(x509, summary);
      throw untrusted("The server's certificate is not known here.", "BadCertificateUntrusted", summary);
    }
    return summary;
  }

  async #reject(x509: X509Certificate, summary: CertificateSummary): Promise<void> {
    const folder = join(this.#folder, "rejected");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length >= rejectedMax) return;
    await writeWhole(join(folder, fileName(summary.thumbprint)), x509.raw, 0o644);
  }

  /** From now on this rejected certificate is trusted; either thumbprint will do. Null: no such certificate was seen. */
  async trust(thumbprint: string): Promise<CertificateSummary | null> {
    const wanted = thumbprint.replaceAll(/[:\s]/g, "").toUpperCase();
    const found = (await this.list("rejected")).find((c) => c.thumbprint === wanted || c.thumbprintSha1 === wanted);
    if (found === undefined) return null;
    await mkdir(join(this.#folder, "trusted"), { recursive: true, mode: 0o700 });
    const name = fileName(found.thumbprint);
    await rename(join(this.#folder, "rejected", name), join(this.#folder, "trusted", name));
    return found;
  }

  /** What is trusted, or waits to be. */
  async list(kind: "trusted" | "rejected"): Promise<CertificateSummary[]> {
    const folder = join(this.#folder, kind);
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(names.filter((n) => n.endsWith(".der")).map((n) => readBytes(join(folder, n))));
    return files.flatMap((bytes) => {
      try {
        return bytes === null ? [] : [summarise(new X509Certificate(bytes))];
      } catch {
        return [];
      }
    });
  }
}

/** The folder of a connection, one object for all connections of this thread that share it. */
export function certificatesOf(context: ConnectorContext): CertificateFolder {
  return context.share(`opcua.certificates:${context.stateDir}`, () => new CertificateFolder(context.stateDir));
}

/** Days until the certificate ends; negative afterwards. */
export function daysLeft(summary: CertificateSummary, nowUs: number): number {
  return Math.floor((summary.validToUs - nowUs) / dayUs);
}

function untrusted(
  message: string,
  code: string,
  summary: CertificateSummary | null,
  options?: { cause: unknown },
): ConnectionError {
  const technical =
    summary === null
      ? code
      : `${code}: thumbprint ${summary.thumbprint} (SHA-1 ${summary.thumbprintSha1}), subject ${summary.subject}, valid ${summary.validity}`;
  const hint =
    code === "BadCertificateUntrusted"
      ? "Compare the thumbprint with the one that the server shows, then trust it."
      : "Give the server a new certificate, then trust that one.";
  return new ConnectionError("untrusted", message, hint, technical, options);
}

function summarise(x509: X509Certificate): CertificateSummary {
  return {
    thumbprint: createHash("sha256").update(x509.raw).digest("hex").toUpperCase(),
    thumbprintSha1: createHash("sha1").update(x509.raw).digest("hex").toUpperCase(),
    subject: x509.subject.replaceAll("\n", ", "),
    validity: `${x509.validFrom} to ${x509.validTo}`,
    validFromUs: x509.validFromDate.getTime() * 1000,
    validToUs: x509.validToDate.getTime() * 1000,
  };
}

/** The first certificate of a chain: DER values stand one after the other, the application's own first (Part 6, 6.2.2). */
function leaf(chain: Uint8Array): Uint8Array {
  if (chain[0] !== 0x30 || chain[1] !== 0x82) return chain;
  return chain.subarray(0, 4 + chain[2] * 256 + chain[3]);
}

async function makeOwn(opcua: Opcua): Promise<[key: string, certificate: string]> {
  const { crypto_utils: crypto } = opcua;
  const key = await crypto.generatePrivateKey(2048);
  const { cert } = await crypto.createSelfSignedCertificate({
    privateKey: key,
    subject: "/CN=Lineshaft/O=Lineshaft",
    applicationUri: opcua.makeApplicationUrn(hostname(), "Lineshaft"),
    dns: [hostname()],
    validity: ownValidityDays,
    purpose: crypto.CertificatePurpose.ForApplication,
  });
  const { privPem } = await crypto.privateKeyToPEM(key);
  return [privPem, cert];
}

const fileName = (thumbprint: string): string => `${thumbprint}.der`;

async function readBytes(file: string): Promise<Buffer | null> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

async function readText(file: string): Promise<string | null> {
  return (await readBytes(file))?.toString("utf8") ?? null;
}

async function writeWhole(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  await writeFile(`${file}.new`, content, { mode });
  await rename(`${file}.new`, file);
}
