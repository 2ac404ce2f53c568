import { argon2Sync, hash, timingSafeEqual } from "node:crypto";

/** Gives so many random bytes; chance is a parameter. */
export type Random = (bytes: number) => Uint8Array;

// ── API keys: lineshaft_<env>_<id>_<secret> ──────────────────────────────────────────────────────────────────────────
// The secret is 256 random bits, so nobody can guess it from its hash, however fast the hash is: plain SHA-256 is right here, and
// it costs a microsecond a request. A slow hash protects only secrets that people choose.

export interface ParsedKey {
  id: string;
  secret: string;
}

const keyForm = /^lineshaft_[a-z0-9]{1,16}_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;

export function newKey(random: Random, environment: string): { id: string; text: string; hash: Uint8Array } {
  const id = Buffer.from(random(6)).toString("hex");
  const secret = Buffer.from(random(32)).toString("base64url");
  return { id, text: `lineshaft_${environment}_${id}_${secret}`, hash: sha256(secret) };
}

export function parseKey(text: string): ParsedKey | null {
  const match = keyForm.exec(text);
  return match === null ? null : { id: match[1], secret: match[2] };
}

export function sha256(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

// ── The admin secret ─────────────────────────────────────────────────────────────────────────────────────────────────
// An operator may choose it, so it is hashed slowly: Argon2id with OWASP's minimum (19 MiB, 2 passes), some 30 ms.

const argon = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
/** Without characters that look alike; people type this. */
const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/** 25 letters in groups of five: some 123 bits. */
export function newAdminSecret(random: Random): string {
  const picked: string[] = [];
  while (picked.length < 25) {
    // Bytes beyond the last whole multiple are thrown away, so that every letter is as likely as any other.
    const usable = [...random(32)].filter((byte) => byte < 256 - (256 % letters.length));
    picked.push(...usable.map((byte) => letters[byte % letters.length]));
  }
  return [0, 5, 10, 15, 20].map((at) => picked.slice(at, at + 5).join("")).join("-");
}

/** To text that says how it was made: `argon2id$m=…,t=…,p=…$salt$hash`, base64. */
export function hashPassword(secret: string, random: Random): string {
  const salt = Buffer.from(random(16));
  const tag = argon2Sync("argon2id", { message: secret, nonce: salt, ...argon });
  const parameters = `m=${argon.memory},t=${argon.passes},p=${argon.parallelism}`;
  return ["argon2id", parameters, salt.toString("base64"), tag.toString("base64")].join("$");
}

export function verifyPassword(secret: string, stored: string): boolean {
  const match = /^argon2id\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (match === null) throw new Error("The stored hash of the admin secret has an unknown form.");
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number);
  const expected = Buffer.from(match[5], "base64");
  const nonce = Buffer.from(match[4], "base64");
  const tag = argon2Sync("argon2id", {
    message: secret,
    nonce,
    memory,
    passes,
    parallelism,
    tagLength: expected.length,
  });
  return sameBytes(tag, expected);
}
