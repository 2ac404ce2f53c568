/**
 * A scanner that plays keyboard: its keys come faster than anybody types and end with Enter. So it needs no field and no focus, and what a person
 * types is not taken for a scan.
 */

/** Scanners send a key every 1 to 20 ms, over Bluetooth up to some 40; people need more than 60. */
const fastMs = 50;
const longest = 128;
/** Two keys and Enter may be chance. */
const shortest = 3;

export class WedgeScanner {
  #keys = "";
  #lastMs = Number.NEGATIVE_INFINITY;

  /** The code when this key ends a scan, else null. `key` as in KeyboardEvent, `atMs` of any clock that only goes on. */
  key(key: string, atMs: number): string | null {
    const fast = atMs - this.#lastMs <= fastMs;
    if (key === "Enter") {
      const code = fast && this.#keys.length >= shortest ? this.#keys.trim() : "";
      this.#keys = "";
      return code === "" ? null : code;
    }
    // Shift, AltGraph and the like are part of the next key.
    if ([...key].length !== 1) return null;
    this.#keys = fast ? (this.#keys + key).slice(-longest - 1) : key;
    // Longer than anything we know: it is no code that ends well.
    if (this.#keys.length > longest) this.#keys = "";
    this.#lastMs = atMs;
    return null;
  }
}

export type Scan = { what: "order"; order: string; operation: string | null } | { what: "badge"; badge: string };

/** What a code says: `4711`, `4711/0010` with its operation, or a badge, `badge:0815`. */
export function readScan(code: string): Scan {
  // Some scanners put the kind of symbol first (AIM identifier).
  const text = code.replace(/^\][A-Za-z]\d/, "").trim();
  const badge = /^badge[:;-]\s*(.+)$/i.exec(text);
  if (badge !== null) return { what: "badge", badge: badge[1].slice(0, 64) };
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1)
    return { what: "order", order: text.replaceAll("/", ""), operation: null };
  return { what: "order", order: text.slice(0, slash), operation: text.slice(slash + 1) };
}
