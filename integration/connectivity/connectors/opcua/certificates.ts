import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  type CertificateStore,
  type CertificateSummary,
  type Clock,
  ConnectionError,
  type ConnectorContext,
  type RestsOn,
} from "@lineshaft/contract/ports";
import type { OPCUAClientOptions } from "node-opcua-client";
import type { Opcua } from "./library.ts";
import { issuerOf, readRevocationList } from "./revocation.ts";

/** A server that changes its certificate at each look must not fill the disk. */
const rejectedMax = 100;
const keyBitsMin = 2048;
/** Authorities between a server and one that is trusted. */
const chainMax = 5;
const ownValidityDays = 5 * 365;
const dayUs = 86_400_000_000;

const certificateName = "certificate.pem";

type KeyPair = NonNullable<OPCUAClientOptions["certificateKeyPairProvider"]>;
interface Own {
  keyPair: KeyPair;
  uri: string;
  summary: CertificateSummary;
}

export type { CertificateSummary } from "@lineshaft/contract/ports";

/** Certificates of all connections that share a folder: ours with its key, and those of servers, trusted or rejected, one file each by SHA-256 thumbprint. */
export class CertificateFolder implements CertificateStore {
  readonly #folder: string;
  #own: { changedMs: number; loaded: Promise<Own> } | undefined;

  constructor(stateDir: string) {
    this.#folder = join(stateDir, "pki");
  }

  /** Our certificate and key, made on first use. Kept for good, since servers trust this one; files that somebody renews serve from the next channel on. */
  async own(opcua: Opcua): Promise<Own> {
    const changedMs = await changed(join(this.#ownFolder, certificateName));
    if (this.#own === undefined || this.#own.changedMs !== changedMs) {
      const loaded = this.#loadOwn(opcua).catch((error: unknown) => {
        this.#own = undefined;
        throw new ConnectionError(
          "misconfigured",
          "Our own certificate can be neither read nor made.",
          `Check that ${this.#folder} is whole and may be written.`,
          (error as Error).message,
          { cause: error },
        );
      });
      this.#own = { changedMs, loaded };
      await loaded;
      // The file that was just made is not a change of it.
      this.#own = { changedMs: await changed(join(this.#ownFolder, certificateName)), loaded };
    }
    return this.#own.loaded;
  }

  get #ownFolder(): string {
    return join(this.#folder, "own");
  }

  async #loadOwn(opcua: Opcua): Promise<Own> {
    await mkdir(this.#ownFolder, { recursive: true, mode: 0o700 });
    const keyFile = join(this.#ownFolder, "private-key.pem");
    const certificateFile = join(this.#ownFolder, certificateName);
    let [key, certificate] = await Promise.all([readText(keyFile), readText(certificateFile)]);
    if (key === null || certificate === null) {
      [key, certificate] = await makeOwn(opcua);
      // The certificate last: it says that the pair is complete.
      await writeWhole(keyFile, key, 0o600);
      await writeWhole(certificateFile, certificate, 0o644);
    }
    const x509 = new X509Certificate(certificate);
    const uri = applicationUriOf(x509);
    if (uri === null) throw new Error(`${certificateFile} carries no application URI.`);
    const der = Buffer.from(x509.raw);
    if (!x509.checkPrivateKey(createPrivateKey(key))) throw new Error("The key does not belong to the certificate.");
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
    if (!isStrong(x509))
      throw untrusted(
        `The server's key is not RSA with ${keyBitsMin} bits or more.`,
        "BadCertificatePolicyCheckFailed",
        summary,
      );
    const names = (x509.subjectAltName ?? "").split(", ");
    if (applicationUri !== null && !names.includes(`URI:${applicationUri}`))
      throw untrusted("The server's certificate belongs to another application.", "BadCertificateUriInvalid", summary);
    const now = clock.nowUs();
    if (now > summary.validToUs)
      throw untrusted("The server's certificate has expired.", "BadCertificateTimeInvalid", summary);
    if (now < summary.validFromUs)
      throw untrusted("The server's certificate is not valid yet.", "BadCertificateTimeInvalid", summary);
    if (await this.#revoked(x509))
      throw untrusted("The server's certificate has been revoked by its issuer.", "BadCertificateRevoked", summary);
    if (!(await this.#isTrusted(x509)) && !(await this.#isVouchedFor(x509, chain, now))) {
      await this.#reject(x509, summary);
      throw untrusted("The server's certificate is not known here.", "BadCertificateUntrusted", summary);
    }
    return summary;
  }

  async #isTrusted(x509: X509Certificate): Promise<boolean> {
    const trusted = await readBytes(join(this.#folder, "trusted", fileName(summarise(x509).thumbprint)));
    // The bytes themselves, not the thumbprint: a file may have been put there by hand under any name.
    return trusted?.equals(x509.raw) ?? false;
  }

  /** Has a trusted authority issued it, directly or through others that the server sent along or that lie in `issuers/`? */
  async #isVouchedFor(x509: X509Certificate, chain: Uint8Array, nowUs: number): Promise<boolean> {
    const stored = await Promise.all([this.#stored("issuers"), this.#stored("trusted")]);
    const candidates = [...certificatesIn(chain).slice(1), ...stored.flat()];
    let at = x509;
    for (let step = 0; step < chainMax; step++) {
      const issuer = candidates.find((c) => c.ca && at.checkIssued(c) && at.verify(c.publicKey));
      if (issuer === undefined || issuer.raw.equals(at.raw)) return false;
      const summary = summarise(issuer);
      if (!isStrong(issuer))
        throw untrusted("The issuer's key is too weak.", "BadCertificatePolicyCheckFailed", summary);
      if (nowUs < summary.validFromUs || nowUs > summary.validToUs)
        throw untrusted("The issuer's certificate is not valid today.", "BadCertificateIssuerTimeInvalid", summary);
      if (await this.#revoked(issuer))
        throw untrusted("The issuer's certificate has been revoked.", "BadCertificateIssuerRevoked", summary);
      if (await this.#isTrusted(issuer)) return true;
      at = issuer;
    }
    return false;
  }

  async #stored(kind: "issuers" | "trusted"): Promise<X509Certificate[]> {
    const folder = join(this.#folder, kind);
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".der")).sort();
    const files = await Promise.all(names.map((name) => readBytes(join(folder, name))));
    return files.flatMap((bytes) => (bytes === null ? [] : certificatesIn(bytes)));
  }

  /** Is it in a revocation list that lies in `crl/`? One that cannot be read revokes nothing, so whoever put it there must know. */
  async #revoked(x509: X509Certificate): Promise<boolean> {
    const folder = join(this.#folder, "crl");
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((n) => /\.(crl|der|pem)$/.test(n))) {
      const list = readRevocationList((await readBytes(join(folder, name))) ?? new Uint8Array());
      if (list === null)
        throw untrusted(`The revocation list ${name} cannot be read.`, "BadCertificateRevocationUnknown", null);
      const [issuer, serial] = [issuerOf(x509.raw), x509.serialNumber.replace(/^0+(?=.)/, "").toUpperCase()];
      if (issuer !== null && list.issuer.equals(issuer) && list.serials.has(serial)) return true;
    }
    return false;
  }

  async #reject(x509: X509Certificate, summary: CertificateSummary): Promise<void> {
    const folder = join(this.#folder, "rejected");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length >= rejectedMax) return;
    await writeWhole(join(folder, fileName(summary.thumbprint)), x509.raw, 0o644);
  }

  /** From now on this rejected certificate is trusted; either thumbprint will do. Null: no such certificate was seen. */
  trust(thumbprint: string): Promise<CertificateSummary | null> {
    return this.#move(thumbprint, "rejected", "trusted");
  }

  /** From now on it is refused, and listed as rejected. */
  distrust(thumbprint: string): Promise<CertificateSummary | null> {
    return this.#move(thumbprint, "trusted", "rejected");
  }

  async #move(
    thumbprint: string,
    from: "trusted" | "rejected",
    to: "trusted" | "rejected",
  ): Promise<CertificateSummary | null> {
    const wanted = thumbprint.replaceAll(/[:\s]/g, "").toUpperCase();
    const found = (await this.#files(from)).find(
      ({ summary: c }) => c.thumbprint === wanted || c.thumbprintSha1 === wanted,
    );
    if (found === undefined) return null;
    await mkdir(join(this.#folder, to), { recursive: true, mode: 0o700 });
    await rename(join(this.#folder, from, found.name), join(this.#folder, to, fileName(found.summary.thumbprint)));
    return found.summary;
  }

  async list(): Promise<{
    own: CertificateSummary | null;
    trusted: CertificateSummary[];
    rejected: CertificateSummary[];
  }> {
    const own = await readText(join(this.#ownFolder, certificateName));
    const [trusted, rejected] = await Promise.all([this.#files("trusted"), this.#files("rejected")]);
    return {
      own: own === null ? null : summarise(new X509Certificate(own)),
      trusted: trusted.map(({ summary }) => summary),
      rejected: rejected.map(({ summary }) => summary),
    };
  }

  async #files(kind: "trusted" | "rejected"): Promise<{ name: string; summary: CertificateSummary }[]> {
    const folder = join(this.#folder, kind);
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".der")).sort();
    const files = await Promise.all(names.map((name) => readBytes(join(folder, name))));
    return files.flatMap((bytes, i) => {
      try {
        return bytes === null ? [] : [{ name: names[i], summary: summarise(new X509Certificate(bytes)) }];
      } catch {
        return [];
      }
    });
  }
}

/** The folder of all connections of the kind, one object in this thread. */
export function certificatesOf(context: ConnectorContext): CertificateFolder {
  const dir = context.kindDir ?? context.stateDir;
  return context.share(`opcua.certificates:${dir}`, () => new CertificateFolder(dir));
}

/** What a channel rests on; without security there is no certificate that could end it. */
export function restsOn(
  link: { policy: string; serverCertificate: CertificateSummary | null } | null,
  own: CertificateSummary | null,
): RestsOn[] {
  if (link === null || link.policy === "None") return [];
  const both = [
    ["own", own],
    ["peer", link.serverCertificate],
  ] as const;
  return both.flatMap(([of, summary]) => {
    if (summary === null) return [];
    const { thumbprint, subject, validToUs } = summary;
    return [{ of, thumbprint, subject, validToUs }];
  });
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

/** SHA-256, upper-case hex: also the name of a certificate's file. */
export const thumbprintOf = (der: Uint8Array): string => createHash("sha256").update(der).digest("hex").toUpperCase();

function summarise(x509: X509Certificate): CertificateSummary {
  return {
    thumbprint: thumbprintOf(x509.raw),
    thumbprintSha1: createHash("sha1").update(x509.raw).digest("hex").toUpperCase(),
    subject: x509.subject.replaceAll("\n", ", "),
    issuer: x509.issuer.replaceAll("\n", ", "),
    applicationUri: applicationUriOf(x509),
    validity: `${x509.validFrom} to ${x509.validTo}`,
    validFromUs: x509.validFromDate.getTime() * 1000,
    validToUs: x509.validToDate.getTime() * 1000,
  };
}

/** The certificates of a chain: DER values one after the other, the application's own first (Part 6, 6.2.2). What follows and is none ends it. */
function certificatesIn(chain: Uint8Array): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let rest = chain; rest.length > 0 && found.length <= chainMax; ) {
    const one = leaf(rest);
    try {
      found.push(new X509Certificate(one));
    } catch {
      return found;
    }
    rest = rest.subarray(one.length);
  }
  return found;
}

function isStrong(x509: X509Certificate): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = x509.publicKey;
  return asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= keyBitsMin;
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

function applicationUriOf(x509: X509Certificate): string | null {
  return /URI:([^,\s]+)/.exec(x509.subjectAltName ?? "")?.[1] ?? null;
}

/** When the file was written; 0: there is none. */
async function changed(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.mtimeMs ?? 0;
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
