const mask = "•••";
/** Shorter ones would blank out harmless text. */
const shortestSecret = 4;

/** The secrets that one connection was given, so that they can be kept out of whatever leaves it. */
export class Secrecy {
  #secrets = new Set<string>();

  remember(secret: string | null): string | null {
    if (secret !== null && secret.length >= shortestSecret) {
      this.#secrets.add(secret);
      this.#secrets.add(Buffer.from(secret).toString("base64"));
    }
    return secret;
  }

  text(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, mask);
    return clean;
  }

  /** The same for plain values, to any depth. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item)]));
  }

  /** Wire bytes with secrets overwritten, the length kept. */
  bytes(bytes: Uint8Array): Uint8Array {
    const clean = Buffer.from(bytes);
    for (const secret of this.#secrets) {
      const needle = Buffer.from(secret);
      for (let at = clean.indexOf(needle); at >= 0; at = clean.indexOf(needle, at + needle.length))
        clean.fill("*", at, at + needle.length);
    }
    return clean;
  }
}

/** `${secret:name}` as written in a configuration, or a bare name. */
export function secretName(reference: string): string {
  return /^\$\{secret:([^}]+)\}$/.exec(reference)?.[1] ?? reference;
}
