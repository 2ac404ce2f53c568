import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { Duck } from "./duck.ts";
import { type FileMeta, readTrailer } from "./trailer.ts";

/** What a file's name alone tells, so that even a rotten file says which records and times it held. */
export interface FileName {
  kind: FileMeta["kind"];
  lsnFrom: Lsn;
  lsnTo: Lsn;
  fromUs: Micros;
  toUs: Micros;
  /** Never given twice in one directory. */
  serial: number;
}

const namePattern = /^(run|part|side)_(\d+)_(\d+)_(-?\d+)_(-?\d+)_(\d+)\.duckdb$/;
export const temporarySuffix = ".tmp";

export function formatName(n: FileName): string {
  return `${n.kind}_${n.lsnFrom}_${n.lsnTo}_${n.fromUs}_${n.toUs}_${n.serial}.duckdb`;
}

export function parseName(name: string): FileName | null {
  const match = namePattern.exec(name);
  if (match === null) return null;
  const [lsnFrom, lsnTo, fromUs, toUs, serial] = match.slice(2).map(Number);
  return { kind: match[1] as FileMeta["kind"], lsnFrom, lsnTo, fromUs, toUs, serial };
}

export interface StoredFile extends FileName {
  name: string;
  bytes: number;
  meta: FileMeta;
}

export interface Quarantined {
  file: string;
  fromUs: Micros;
  toUs: Micros;
  lsnFrom: Lsn;
  lsnTo: Lsn;
  detail: string;
}

interface Entry extends StoredFile {
  alias: string | null;
  attaching: Promise<string> | null;
  /** Readers that look at it now; it is neither detached nor removed before they are done. */
  readers: number;
  dropped: boolean;
}

/**
 * The files of one history directory: which are valid, which are open, which may go. Files are immutable; a set of them changes only by
 * `add`, `replace` and `quarantine`.
 */
export class Files {
  readonly dir: string;
  readonly quarantined: Quarantined[] = [];
  readonly #duck: Duck;
  readonly #maxOpen: number;
  readonly #entries = new Map<string, Entry>();
  #nextSerial = 1;
  #persistedLsn: Lsn = 0;

  private constructor(dir: string, duck: Duck, maxOpen: number) {
    this.dir = dir;
    this.#duck = duck;
    this.#maxOpen = maxOpen;
  }

  /** Finds the valid set after any crash, see `settle`. Files that cannot be understood are kept in quarantine/, never deleted. */
  static async open(dir: string, duck: Duck, maxOpen: number): Promise<Files> {
    const files = new Files(dir, duck, maxOpen);
    await mkdir(join(dir, "quarantine"), { recursive: true });
    await files.#readQuarantine();
    const found: StoredFile[] = [];
    for (const name of (await readdir(dir)).sort()) {
      if (name.includes(temporarySuffix)) {
        // A file that was being written when the process ended: what it was made from is still there.
        await rm(join(dir, name), { force: true });
        continue;
      }
      const parsed = parseName(name);
      if (parsed === null) continue;
      files.#noteName(parsed);
      try {
        const { meta, bytes } = await readTrailer(join(dir, name));
        found.push({ ...parsed, name, bytes, meta });
      } catch (error) {
        await files.#moveToQuarantine({ ...parsed, name }, String(error));
      }
    }
    const { valid, obsolete } = settle(found, new Set(files.quarantined.map((q) => q.file)));
    for (const file of valid)
      files.#entries.set(file.name, { ...file, alias: null, attaching: null, readers: 0, dropped: false });
    for (const file of obsolete) await rm(join(dir, file.name), { force: true });
    return files;
  }

  get all(): StoredFile[] {
    return [...this.#entries.values()];
  }

  /** All records up to here are in files (or were, in files that are now in quarantine). */
  get persistedLsn(): Lsn {
    return this.#persistedLsn;
  }

  pathOf(file: StoredFile): string {
    return join(this.dir, file.name);
  }

  takeSerial(): number {
    return this.#nextSerial++;
  }

  overlapping(fromUs: Micros, toUs: Micros): StoredFile[] {
    return this.all.filter((file) => file.meta.rows > 0 && file.meta.fromUs < toUs && file.meta.toUs >= fromUs);
  }

  /** Opens a file for reading and keeps it until `release`. Gives the name under which DuckDB knows it. */
  async acquire(file: StoredFile): Promise<string> {
    const entry = file as Entry;
    if (entry.dropped && entry.alias === null) throw new Error(`${entry.name} has been replaced.`);
    entry.readers++;
    try {
      if (entry.alias === null) {
        entry.attaching ??= this.#duck.attach(join(this.dir, entry.name), "READ_ONLY");
        entry.alias = await entry.attaching;
        entry.attaching = null;
      }
    } catch (error) {
      entry.attaching = null;
      entry.readers--;
      throw error;
    }
    // The order of a Map is that of insertion: the least recently used comes first.
    if (this.#entries.get(entry.name) === entry) {
      this.#entries.delete(entry.name);
      this.#entries.set(entry.name, entry);
    }
    return entry.alias;
  }

  async release(file: StoredFile): Promise<void> {
    const entry = file as Entry;
    entry.readers--;
    if (entry.dropped && entry.readers === 0) await this.#detach(entry);
    else await this.#closeSome();
  }

  /** Makes finished files (still under temporary names) part of the set, and drops those that they supersede. */
  async replace(finished: { temporary: string; file: StoredFile }[], superseded: readonly StoredFile[]): Promise<void> {
    for (const { temporary, file } of finished) await rename(temporary, join(this.dir, file.name));
    await syncDir(this.dir);
    for (const { file } of finished) {
      this.#entries.set(file.name, { ...file, alias: null, attaching: null, readers: 0, dropped: false });
      this.#noteName(file);
    }
    await this.drop(superseded);
  }

  /** Removes files. Who reads one goes on doing so: DuckDB holds it open until the last reader lets go. */
  async drop(files: readonly StoredFile[]): Promise<void> {
    for (const file of files) {
      const entry = file as Entry;
      this.#entries.delete(entry.name);
      entry.dropped = true;
      await entry.attaching?.catch(() => undefined);
      await rm(join(this.dir, entry.name), { force: true });
      if (entry.readers === 0) await this.#detach(entry);
    }
  }

  /** Takes a damaged file out of service and keeps it for whoever wants to look. */
  async quarantine(file: StoredFile, detail: string): Promise<void> {
    const entry = file as Entry;
    if (this.#entries.get(entry.name) !== entry) return;
    this.#entries.delete(entry.name);
    entry.dropped = true;
    if (entry.readers === 0) await this.#detach(entry);
    await this.#moveToQuarantine(entry, detail);
  }

  /** Damage that touches the range, for warnings. */
  damage(fromUs: Micros, toUs: Micros): Quarantined[] {
    return this.quarantined.filter((q) => q.fromUs < toUs && q.toUs >= fromUs);
  }

  /** Forgets a quarantined file whose rows are served again from elsewhere; the file itself stays. */
  async healed(file: string): Promise<void> {
    const at = this.quarantined.findIndex((q) => q.file === file);
    if (at >= 0) this.quarantined.splice(at, 1);
    await rm(join(this.dir, "quarantine", `${file}.json`), { force: true });
  }

  async #closeSome(): Promise<void> {
    let open = 0;
    for (const entry of this.#entries.values()) if (entry.alias !== null) open++;
    for (const entry of this.#entries.values()) {
      if (open <= this.#maxOpen) return;
      if (entry.alias === null || entry.readers > 0) continue;
      open--;
      await this.#detach(entry);
    }
  }

  async #detach(entry: Entry): Promise<void> {
    const { alias } = entry;
    entry.alias = null;
    if (alias !== null) await this.#duck.detach(alias);
  }

  #noteName(name: FileName): void {
    this.#nextSerial = Math.max(this.#nextSerial, name.serial + 1);
    this.#persistedLsn = Math.max(this.#persistedLsn, name.lsnTo);
  }

  async #moveToQuarantine(file: FileName & { name: string }, detail: string): Promise<void> {
    const note: Quarantined = {
      file: file.name,
      fromUs: file.fromUs,
      toUs: file.toUs,
      lsnFrom: file.lsnFrom,
      lsnTo: file.lsnTo,
      detail,
    };
    const to = join(this.dir, "quarantine", file.name);
    await writeFile(`${to}.json`, JSON.stringify(note));
    await rename(join(this.dir, file.name), to);
    await syncDir(join(this.dir, "quarantine"));
    await syncDir(this.dir);
    this.quarantined.push(note);
  }

  async #readQuarantine(): Promise<void> {
    const dir = join(this.dir, "quarantine");
    for (const name of await readdir(dir)) {
      const parsed = parseName(name);
      if (parsed !== null) this.#noteName(parsed);
      if (!name.endsWith(".json")) continue;
      try {
        this.quarantined.push(JSON.parse(await readFile(join(dir, name), "utf8")) as Quarantined);
      } catch {
        const lost = parseName(name.slice(0, -".json".length));
        if (lost !== null) this.quarantined.push({ ...lost, file: name.slice(0, -".json".length), detail: "unknown" });
      }
    }
  }
}

/**
 * Which of the files found hold the truth. A compaction renames all its outputs before it removes the first input. So where all inputs are
 * still there and an output is missing, it did not finish: its outputs are obsolete. Otherwise it did, and inputs that are left are obsolete.
 * `elsewhere`: names of files known to exist though not among `found`.
 */
export function settle(
  found: readonly StoredFile[],
  elsewhere: ReadonlySet<string>,
): { valid: StoredFile[]; obsolete: StoredFile[] } {
  const present = new Set([...found.map((file) => file.name), ...elsewhere]);
  const obsolete = new Set<string>();
  // Younger compactions first: an output that was itself compacted away counts as finished through its own successor.
  for (const file of [...found].sort((a, b) => b.serial - a.serial)) {
    const { supersedes, outputs } = file.meta;
    if (supersedes.length === 0) continue;
    const finished = outputs.every((name) => present.has(name)) || !supersedes.every((name) => present.has(name));
    if (finished) for (const name of supersedes) obsolete.add(name);
    else obsolete.add(file.name);
  }
  return {
    valid: found.filter((file) => !obsolete.has(file.name)),
    obsolete: found.filter((file) => obsolete.has(file.name)),
  };
}

export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
