/** What a certificate revocation list says (RFC 5280, 5.1): its issuer's name as DER, and serial numbers in upper-case hex without leading zeros. */
export interface RevocationList {
  issuer: Buffer;
  serials: ReadonlySet<string>;
}

const tag = {
  sequence: 0x30,
  set: 0x31,
  integer: 0x02,
  bits: 0x03,
  utcTime: 0x17,
  generalizedTime: 0x18,
  version: 0xa0,
};

interface Node {
  tag: number;
  /** Of the content, and of the whole. */
  start: number;
  end: number;
  from: number;
}

/** A list in DER or PEM; null where it is none. Its signature is not looked at: whoever may put it into the folder is believed. */
export function readRevocationList(file: Uint8Array): RevocationList | null {
  try {
    const bytes = derOf(file);
    // CertificateList › TBSCertList: version OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL, revokedCertificates OPTIONAL …
    const fields = children(bytes, children(bytes, nodeAt(bytes, 0, bytes.length))[0]);
    let at = fields[0].tag === tag.integer ? 1 : 0;
    const [algorithm, issuer, thisUpdate] = fields.slice(at, at + 3);
    if (algorithm.tag !== tag.sequence || issuer.tag !== tag.sequence || !isTime(thisUpdate)) return null;
    at += 3;
    if (fields[at] !== undefined && isTime(fields[at])) at++;
    const revoked = fields[at]?.tag === tag.sequence ? children(bytes, fields[at]) : [];
    const serials = new Set<string>();
    for (const entry of revoked) {
      const [serial] = children(bytes, entry);
      if (serial?.tag !== tag.integer) return null;
      serials.add(hex(bytes.subarray(serial.start, serial.end)));
    }
    return { issuer: Buffer.from(bytes.subarray(issuer.from, issuer.end)), serials };
  } catch {
    return null;
  }
}

/** The issuer's name in a certificate, as DER; null where it is none. */
export function issuerOf(certificate: Uint8Array): Buffer | null {
  try {
    // Certificate › TBSCertificate: version OPTIONAL, serialNumber, signature, issuer …
    const fields = children(certificate, children(certificate, nodeAt(certificate, 0, certificate.length))[0]);
    const issuer = fields[fields[0].tag === tag.version ? 3 : 2];
    return Buffer.from(certificate.subarray(issuer.from, issuer.end));
  } catch {
    return null;
  }
}

const isTime = (node: Node | undefined): boolean => node?.tag === tag.utcTime || node?.tag === tag.generalizedTime;

function derOf(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file).toString("latin1");
  const body = /-----BEGIN X509 CRL-----([\s\S]+?)-----END X509 CRL-----/.exec(text)?.[1];
  return body === undefined ? file : Buffer.from(body, "base64");
}

function children(bytes: Uint8Array, parent: Node): Node[] {
  const found: Node[] = [];
  for (let at = parent.start; at < parent.end; at = found[found.length - 1].end)
    found.push(nodeAt(bytes, at, parent.end));
  return found;
}

function nodeAt(bytes: Uint8Array, from: number, limit: number): Node {
  let at = from + 1;
  let length = bytes[at++];
  if (length >= 0x80) {
    const octets = length & 0x7f;
    if (octets === 0 || octets > 4) throw new Error("A length is out of bounds.");
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++];
  }
  if (!(at + length <= limit)) throw new Error("A value ends behind what holds it.");
  return { tag: bytes[from], from, start: at, end: at + length };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/^0+(?=.)/, "")
    .toUpperCase();
}
