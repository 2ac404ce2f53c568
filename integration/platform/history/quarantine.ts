import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import { type FileName, parseName } from "./file-name.ts";

/** A file that is out of service, and what becomes of its rows. */
export interface Quarantined {
  file: string;
  fromUs: Micros;
  toUs: Micros;
  lsnFrom: Lsn;
  lsnTo: Lsn;
  /** Null where the file can no longer tell. */
  rows: number | null;
  detail: string;
  /** From where its rows come back; `impossible`: neither a copy nor the log has them. */
  rebuild: "fromCopy" | "fromLog" | "impossible";
}

/** Damaged files and notes about them. A note outlives its file: also what has vanished is named until its rows are back. */
export class Quarantine {
  readonly #historyDir: string;
  readonly #dir: string;
  #notes: Quarantined[] = [];
  readonly #moves = new Map<Quarantined, Promise<void>>();
  #changed: () => void = () => undefined;
  #change: Promise<void>;

  private constructor(historyDir: string) {
    this.#historyDir = historyDir;
    this.#dir = join(historyDir, "quarantine");
    this.#change = this.#nextChange();
  }

  /** Notes that cannot be read, and files without a note, are known by their names. */
  static async open(historyDir: string): Promise<Quarantine> {
    const quarantine = new Quarantine(historyDir);
    await mkdir(quarantine.#dir, { recursive: true });
    const names = await readdir(quarantine.#dir);
    const files = new Set(names.map((name) => (name.endsWith(".json") ? name.slice(0, -".json".length) : name)));
    for (const file of files) {
      const parsed = parseName(file);
      if (parsed === null) continue;
      const note = await quarantine.#readNote(file);
      quarantine.#notes.push({ ...noteOf({ ...parsed, name: file }, null, "Found in quarantine."), ...note });
    }
    return quarantine;
  }

  get notes(): readonly Quarantined[] {
    return this.#notes;
  }

  find(file: string): Quarantined | undefined {
    return this.#notes.find((note) => note.file === file);
  }

  /** Resolves when a file has come in, was mended, or was given up. */
  get change(): Promise<void> {
    return this.#change;
  }

  /**
   * Takes a file out of service: it is named at once, and moved when this resolves. It may be gone already, or back at its old place after a
   * crash.
   */
  async take(note: Quarantined): Promise<void> {
    const move = this.#move(note);
    this.#moves.set(note, move);
    this.add(note);
    try {
      await move;
    } finally {
      this.#moves.delete(note);
    }
    this.#tell();
  }

  async #move(note: Quarantined): Promise<void> {
    await this.write(note);
    try {
      await rename(join(this.#historyDir, note.file), join(this.#dir, note.file));
      await syncDir(this.#dir);
      await syncDir(this.#historyDir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  /** One that can be mended so, and has been moved. */
  next(rebuild: Quarantined["rebuild"]): Quarantined | undefined {
    return this.#notes.find((note) => note.rebuild === rebuild && !this.#moves.has(note));
  }

  /** A damaged copy whose original is damaged too: kept for whoever wants to look. */
  async takeCopy(path: string, name: string): Promise<void> {
    await rename(path, join(this.#dir, name));
    await syncDir(this.#dir);
  }

  add(note: Quarantined): void {
    if (!this.#notes.includes(note)) this.#notes.push(note);
    this.#tell();
  }

  /** The rows are served again: note and damaged file go. */
  async heal(note: Quarantined): Promise<void> {
    this.#notes = this.#notes.filter((other) => other !== note);
    this.#tell();
    await this.#moves.get(note);
    await rm(join(this.#dir, note.file), { force: true });
    await rm(join(this.#dir, `${note.file}.json`), { force: true });
  }

  /** Nobody has its rows. */
  async giveUp(note: Quarantined, detail: string): Promise<void> {
    note.rebuild = "impossible";
    note.detail = `${note.detail} ${detail}`;
    await this.write(note);
    this.#tell();
  }

  /** A full disk must not keep a damaged file in service: then there is only its name. */
  async write(note: Quarantined): Promise<void> {
    if (parseName(note.file) === null) return;
    await writeFile(join(this.#dir, `${note.file}.json`), JSON.stringify(note)).catch(() => undefined);
  }

  /** Nobody waits any longer. */
  async close(): Promise<void> {
    this.#tell();
    await Promise.allSettled(this.#moves.values());
  }

  #tell(): void {
    const told = this.#changed;
    this.#change = this.#nextChange();
    told();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  async #readNote(file: string): Promise<Partial<Quarantined>> {
    try {
      return JSON.parse(await readFile(join(this.#dir, `${file}.json`), "utf8")) as Partial<Quarantined>;
    } catch {
      return {};
    }
  }
}

export function noteOf(file: FileName & { name: string }, rows: number | null, detail: string): Quarantined {
  const { name, kind, fromUs, toUs, lsnFrom, lsnTo } = file;
  // Only a run holds all rows of its records; a part shares them with its neighbours.
  const rebuild = kind === "run" ? "fromLog" : "impossible";
  return { file: name, fromUs, toUs, lsnFrom, lsnTo, rows, detail, rebuild };
}

export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
