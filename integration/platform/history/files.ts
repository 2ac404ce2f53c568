import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import { copySuffix, readCopyMeta } from "./copies.ts";
import type { Duck } from "./duck.ts";
import { type FileName, parseName, type StoredFile, temporarySuffix } from "./file-name.ts";
import { noteOf, Quarantine, type Quarantined, syncDir } from "./quarantine.ts";
import { type Retired, readRetired, writeRetired } from "./retired.ts";
import { holes, settle, unite } from "./settle.ts";
import { type FileMeta, isDamage, readTrailer } from "./trailer.ts";

interface Entry extends StoredFile {
  /** Size of its verified copy; 0: it has none. */
  copyBytes: number;
  alias: string | null;
  attaching: Promise<string> | null;
  /** Readers that look at it now; it is neither detached nor removed before they are done. */
  readers: number;
  dropped: boolean;
  /** Resolves when it is dropped and nobody reads it any more. */
  gone: Promise<void>;
  letGo: () => void;
}

/** A finished file under a temporary name; `copy` is that of its copy, null where it has none yet. */
export interface Finished {
  temporary: string;
  copy: { temporary: string; bytes: number } | null;
  file: StoredFile;
}

/**
 * The files of one history directory: which are valid, which are open, which may go. Files are immutable; a set of them changes only by
 * `replace`, `drop`, `quarantine` and `giveBack`. A copy in copies/ outlives its original only when the original was lost: so it says, too, what is missing.
 */
export class Files {
  readonly dir: string;
  readonly quarantine: Quarantine;
  readonly #duck: Duck;
  readonly #maxOpen: number;
  readonly #entries = new Map<string, Entry>();
  readonly #leaving = new Map<string, Promise<void>>();
  #retired: Retired;
  #nextSerial = 1;
  #persistedLsn: Lsn = 0;
  #verifiedLsn: Lsn = 0;

  private constructor(dir: string, duck: Duck, maxOpen: number, quarantine: Quarantine, retired: Retired) {
    this.dir = dir;
    this.#duck = duck;
    this.#maxOpen = maxOpen;
    this.quarantine = quarantine;
    this.#retired = retired;
  }

  /** Finds the valid set after any crash, see `settle`. Files that cannot be understood are kept in quarantine/, never deleted. */
  static async open(dir: string, duck: Duck, maxOpen: number): Promise<Files> {
    await mkdir(join(dir, "copies"), { recursive: true });
    const files = new Files(dir, duck, maxOpen, await Quarantine.open(dir), await readRetired(dir));
    for (const { file } of files.quarantine.notes) files.#noteName(parseName(file)!);
    const copies = await files.#findCopies();
    const found = await files.#findFiles();
    const { valid, obsolete } = settle(found, new Set(files.quarantine.notes.map((note) => note.file)));
    for (const file of valid) files.#add(file, copies.get(file.name) ?? 0);
    for (const file of obsolete) await files.#remove(file.name);
    await files.#findLost(copies, new Set(obsolete.map((file) => file.name)));
    return files;
  }

  async #findCopies(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    const dir = join(this.dir, "copies");
    for (const name of await readdir(dir)) {
      if (name.endsWith(temporarySuffix)) await rm(join(dir, name), { force: true });
      else if (name.endsWith(copySuffix))
        found.set(name.slice(0, -copySuffix.length), (await stat(join(dir, name))).size);
    }
    return found;
  }

  async #findFiles(): Promise<StoredFile[]> {
    const found: StoredFile[] = [];
    for (const name of (await readdir(this.dir)).sort()) {
      if (name.includes(temporarySuffix)) {
        // A file that was being written when the process ended: what it was made from is still there.
        await rm(join(this.dir, name), { force: true });
        continue;
      }
      const parsed = parseName(name);
      if (parsed === null) continue;
      this.#noteName(parsed);
      try {
        // A note without its file: the crash came between.
        const note = this.quarantine.find(name);
        if (note !== undefined) await this.quarantine.take(note);
        else found.push({ ...parsed, name, ...(await readTrailer(join(this.dir, name))) });
      } catch (error) {
        if (!isDamage(error)) throw error;
        await this.quarantine.take(noteOf({ ...parsed, name }, null, (error as Error).message));
      }
    }
    return found;
  }

  /** What is not in service though its rows are nowhere else: set aside, or vanished. */
  async #findLost(copies: ReadonlyMap<string, number>, obsolete: ReadonlySet<string>): Promise<void> {
    const superseded = new Set(this.all.flatMap((file) => file.meta.supersedes));
    for (const note of this.quarantine.notes) {
      if (superseded.has(note.file) && note.rebuild !== "impossible") await this.quarantine.heal(note);
      else if (note.rebuild === "fromCopy")
        note.rebuild = noteOf({ ...parseName(note.file)!, name: note.file }, null, "").rebuild;
    }
    for (const name of copies.keys()) {
      if (this.#entries.has(name) || obsolete.has(name)) continue;
      const meta = await readCopyMeta(this.#copyPath(name)).catch(() => null);
      const unfinished =
        meta !== null && meta.supersedes.length > 0 && meta.supersedes.every((input) => this.#entries.has(input));
      const parsed = parseName(name);
      if (superseded.has(name) || unfinished) await rm(this.#copyPath(name), { force: true });
      else if (parsed !== null) {
        this.#noteName(parsed);
        const note = this.quarantine.find(name) ?? noteOf({ ...parsed, name }, null, "The file is missing.");
        note.rebuild = "fromCopy";
        note.rows = meta?.rows ?? note.rows;
        this.quarantine.add(note);
      }
    }
    const known = this.all.flatMap((file) => file.meta.covers);
    for (const { lsnFrom, lsnTo } of this.quarantine.notes) known.push([lsnFrom, lsnTo]);
    for (const [lsnFrom, lsnTo] of holes([...known, ...this.#retired.covers], this.#persistedLsn))
      this.quarantine.add({
        file: `records ${lsnFrom} to ${lsnTo}`,
        // Nobody knows any more of which times they were.
        fromUs: Number.MIN_SAFE_INTEGER,
        toUs: Number.MAX_SAFE_INTEGER,
        lsnFrom,
        lsnTo,
        rows: null,
        detail: "The file is missing.",
        rebuild: "fromLog",
      });
  }

  get all(): StoredFile[] {
    return [...this.#entries.values()];
  }

  get bytes(): number {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes + entry.copyBytes;
    return bytes;
  }

  /** All records up to here are in files (or were, in files that are now in quarantine). */
  get persistedLsn(): Lsn {
    return this.#persistedLsn;
  }

  /** All records up to here are in files that have a verified copy. What has been said once holds. */
  get verifiedLsn(): Lsn {
    let least = this.#persistedLsn;
    for (const { copyBytes, lsnFrom } of this.#entries.values())
      if (copyBytes === 0 && lsnFrom <= least) least = lsnFrom - 1;
    for (const { rebuild, lsnFrom } of this.quarantine.notes)
      if (rebuild === "fromLog" && lsnFrom <= least) least = lsnFrom - 1;
    this.#verifiedLsn = Math.max(this.#verifiedLsn, least);
    return this.#verifiedLsn;
  }

  /** Points before this were removed by retention. */
  get frozenBeforeUs(): Micros | null {
    return this.#retired.beforeUs;
  }

  pathOf(file: StoredFile): string {
    return join(this.dir, file.name);
  }

  /** Path of its verified copy; null: it has none. */
  copyOf(file: StoredFile): string | null {
    return (file as Entry).copyBytes === 0 ? null : this.#copyPath(file.name);
  }

  temporaryCopyPath(name: string): string {
    return this.#copyPath(name) + temporarySuffix;
  }

  takeSerial(): number {
    return this.#nextSerial++;
  }

  isValid(file: StoredFile): boolean {
    return this.#entries.get(file.name) === file;
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
      if (entry.dropped && entry.readers === 0) await this.#detach(entry);
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

  /**
   * Makes finished files part of the set, and drops those that they supersede. `switched` runs at the same instant: who looks at files and heads
   * sees each row once. `crashPoint` is a test hook between the steps.
   */
  async replace(
    finished: readonly Finished[],
    superseded: readonly StoredFile[],
    { switched, crashPoint }: { switched?: () => void; crashPoint?: (name: string) => Promise<void> },
  ): Promise<void> {
    try {
      // Copies first: their originals are never without them, and a copy without its original is sorted out by `open`.
      for (const { copy, file } of finished) if (copy !== null) await rename(copy.temporary, this.#copyPath(file.name));
      await syncDir(join(this.dir, "copies"));
      await crashPoint?.("K8");
      for (const { temporary, file } of finished) await rename(temporary, join(this.dir, file.name));
      await syncDir(this.dir);
    } catch (error) {
      // Half a switch must not come to light at a later start, when its inputs have gone another way.
      for (const { file } of finished) await this.#remove(file.name);
      throw error;
    }
    for (const { file, copy } of finished) {
      this.#add(file, copy?.bytes ?? 0);
      this.#noteName(file);
    }
    for (const file of superseded) this.#leave(file as Entry);
    switched?.();
    await crashPoint?.("K8");
    await this.#removeAll(superseded);
  }

  /** Removes files for good, because they are too old. */
  async retire(files: readonly StoredFile[], beforeUs: Micros): Promise<void> {
    // On a full disk even the note needs space, and copies give it. They are of no more use, whatever happens next.
    for (const file of files) {
      (file as Entry).copyBytes = 0;
      await rm(this.#copyPath(file.name), { force: true });
    }
    const covers = [...this.#retired.covers, ...files.flatMap((file) => file.meta.covers)];
    const retired = { beforeUs: Math.max(beforeUs, this.#retired.beforeUs ?? beforeUs), covers: unite(covers) };
    await writeRetired(this.dir, retired);
    this.#retired = retired;
    for (const file of files) this.#leave(file as Entry);
    await this.#removeAll(files);
  }

  /** Takes a damaged file out of service and keeps it for whoever wants to look. False: it was out of service already. */
  async quarantineFile(file: StoredFile, detail: string): Promise<boolean> {
    const entry = file as Entry;
    if (!this.isValid(entry)) return false;
    const note = noteOf(entry, entry.meta.rows, detail);
    if (entry.copyBytes > 0) note.rebuild = "fromCopy";
    this.#leave(entry);
    await this.quarantine.take(note);
    if (entry.readers === 0) await this.#detach(entry);
    return true;
  }

  /** The copy of a sound file was damaged: the file makes another one. */
  async dropCopy(file: StoredFile): Promise<void> {
    (file as Entry).copyBytes = 0;
    await rm(this.#copyPath(file.name), { force: true });
  }

  /** A file that went out of service meanwhile gets none: a copy without its original would bring it back. */
  async addCopy(file: StoredFile, bytes: number): Promise<void> {
    await rename(this.temporaryCopyPath(file.name), this.#copyPath(file.name));
    if (!this.isValid(file)) return rm(this.#copyPath(file.name), { force: true });
    await syncDir(join(this.dir, "copies"));
    (file as Entry).copyBytes = bytes;
  }

  /** Puts a file that was restored from its copy back into service. */
  async giveBack(note: Quarantined, temporary: string, meta: FileMeta): Promise<void> {
    // DuckDB opens no path twice: readers of the damaged file finish first.
    await this.#leaving.get(note.file);
    const path = join(this.dir, note.file);
    const { size } = await stat(temporary);
    const copy = await stat(this.#copyPath(note.file));
    await rename(temporary, path);
    await syncDir(this.dir);
    this.#add({ ...parseName(note.file)!, name: note.file, bytes: size, meta }, copy.size);
    await this.quarantine.heal(note);
  }

  /** The copy from which a file should come back is damaged as well. */
  async copyIsLost(note: Quarantined, detail: string): Promise<void> {
    await this.quarantine.takeCopy(this.#copyPath(note.file), `${note.file}${copySuffix}`).catch(() => undefined);
    note.rebuild = noteOf({ ...parseName(note.file)!, name: note.file }, null, "").rebuild;
    if (note.rebuild === "impossible") await this.quarantine.giveUp(note, `Its copy is damaged too: ${detail}`);
    else await this.quarantine.write(note);
  }

  copyPathOf(note: Quarantined): string {
    return this.#copyPath(note.file);
  }

  /** Damage that touches the range, for warnings. */
  damage(fromUs: Micros, toUs: Micros): Quarantined[] {
    return this.quarantine.notes.filter((q) => q.fromUs < toUs && q.toUs >= fromUs && q.rows !== 0);
  }

  #copyPath(name: string): string {
    return join(this.dir, "copies", name + copySuffix);
  }

  #add(file: StoredFile, copyBytes: number): void {
    let letGo = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const entry = { ...file, copyBytes, alias: null, attaching: null, readers: 0, dropped: false, gone, letGo };
    this.#entries.set(file.name, entry);
  }

  #leave(entry: Entry): void {
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    if (entry.dropped) return;
    entry.dropped = true;
    this.#leaving.set(entry.name, entry.gone);
    void entry.gone.then(() => this.#leaving.delete(entry.name));
  }

  /** Who reads one goes on doing so: DuckDB holds it open until the last reader lets go. */
  async #removeAll(files: readonly StoredFile[]): Promise<void> {
    for (const file of files) {
      const entry = file as Entry;
      // It may have been found damaged after its rows were read, which are in its successor now.
      const note = this.quarantine.find(entry.name);
      if (note !== undefined) await this.quarantine.heal(note);
      await entry.attaching?.catch(() => undefined);
      await this.#remove(entry.name);
      if (entry.readers === 0) await this.#detach(entry);
    }
  }

  /** The copy first, see the class. */
  async #remove(name: string): Promise<void> {
    await rm(this.#copyPath(name), { force: true });
    await rm(join(this.dir, name), { force: true });
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
    if (entry.dropped) entry.letGo();
  }

  #noteName(name: FileName): void {
    this.#nextSerial = Math.max(this.#nextSerial, name.serial + 1);
    this.#persistedLsn = Math.max(this.#persistedLsn, name.lsnTo);
  }
}
