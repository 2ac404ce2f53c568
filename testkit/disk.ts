import type { Clock, Disk, DiskFile } from "@lineshaft/contract/ports";
import { seeded } from "./random.ts";

const sectorBytes = 512;

/** Bytes written or a length set, not yet synced. */
type FileChange = { kind: "write"; position: number; bytes: Uint8Array } | { kind: "truncate"; length: number };
type DirChange =
  | { kind: "link"; name: string; node: Node }
  | { kind: "unlink"; name: string }
  | { kind: "rename"; from: string; to: string };

interface Node {
  /** What readers see. */
  cached: Buffer;
  /** What the platter holds. */
  durable: Buffer;
  unsynced: FileChange[];
}

interface Directory {
  cached: Map<string, Node>;
  durable: Map<string, Node>;
  unsynced: DirChange[];
}

export interface SimDiskOptions {
  seed?: number;
  /** Bytes that fit; default: unlimited. */
  capacityBytes?: number;
}

const errno = (code: string, text: string): Error => Object.assign(new Error(`${code}: ${text}`), { code });

/**
 * A disk in memory that behaves as badly as POSIX allows: what was not synced is lost, torn at sectors or reordered at a power cut;
 * names appear only when their directory was synced; and a failed sync leaves pages that read well but will never be written.
 */
export class SimDisk implements Disk {
  /** Calls so far, by kind; tests wait for or fail the n-th. */
  readonly counts = { sync: 0, operation: 0 };
  capacityBytes: number;
  readonly #directories = new Map<string, Directory>([["/", emptyDirectory()]]);
  readonly #random: () => number;
  #failSyncAt: { n: number; times: "once" | "forever" } | null = null;
  #slowSync: { clock: Clock; ms: number } | null = null;
  #cutAt = Infinity;
  #cutWhat: "power" | "process" = "power";
  /** Handles of an earlier power-up are dead. */
  #epoch = 0;

  constructor({ seed = 1, capacityBytes = Infinity }: SimDiskOptions = {}) {
    this.#random = seeded(seed);
    this.capacityBytes = capacityBytes;
  }

  // ── faults ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The n-th sync from now (1 = the next) fails with EIO. */
  failSync(n: number, times: "once" | "forever" = "once"): void {
    this.#failSyncAt = { n: this.counts.sync + n, times };
  }

  healSync(): void {
    this.#failSyncAt = null;
  }

  slowSync(clock: Clock, ms: number): void {
    this.#slowSync = ms === 0 ? null : { clock, ms };
  }

  /** Cuts the power (or only kills the process) in the middle of the n-th operation from now. */
  cutPowerAfter(operations: number, what: "power" | "process" = "power"): void {
    this.#cutAt = this.counts.operation + operations;
    this.#cutWhat = what;
  }

  /** The process dies, the machine runs on: nothing in the cache is lost. */
  kill(): void {
    this.#epoch++;
    this.#cutAt = Infinity;
  }

  /** What is open dies; what was not synced is lost or survives in part, as the seed will have it. */
  cutPower(): void {
    this.#epoch++;
    this.#cutAt = Infinity;
    const nodes = new Set<Node>();
    for (const directory of this.#directories.values()) {
      for (const change of directory.unsynced) if (this.#random() < 0.5) applyDirChange(directory.durable, change);
      directory.unsynced = [];
      directory.cached = new Map(directory.durable);
      for (const node of directory.durable.values()) nodes.add(node);
    }
    for (const node of nodes) {
      this.#tear(node);
      node.unsynced = [];
      node.cached = Buffer.from(node.durable);
    }
  }

  flipBit(path: string, offset: number, bit = 0): void {
    const node = this.#find(path);
    node.cached[offset] ^= 1 << bit;
    if (offset < node.durable.length) node.durable[offset] ^= 1 << bit;
  }

  /** The bytes as readers see them; for oracles. */
  bytesOf(path: string): Buffer {
    return this.#find(path).cached;
  }

  /** Puts a file in place, durable. */
  place(path: string, bytes: Uint8Array): void {
    const { directory, name } = this.#locate(path);
    const node = { cached: Buffer.from(bytes), durable: Buffer.from(bytes), unsynced: [] };
    directory.cached.set(name, node);
    directory.durable.set(name, node);
  }

  /** The disk as one process sees it: dead for good once the power was cut. */
  boot(): Disk {
    const epoch = this.#epoch;
    const alive =
      <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (epoch !== this.#epoch) throw errno("EIO", "the power was cut");
        return work.apply(this, args);
      };
    return {
      open: alive(this.open),
      list: alive(this.list),
      makeDir: alive(this.makeDir),
      rename: alive(this.rename),
      remove: alive(this.remove),
      syncDir: alive(this.syncDir),
      readFile: alive(this.readFile),
      space: alive(this.space),
    };
  }

  // ── Disk ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  async open(path: string, mode: "read" | "readWrite" | "create"): Promise<DiskFile> {
    await this.#operate();
    const { directory, name } = this.#locate(path);
    let node = directory.cached.get(name);
    if (node === undefined) {
      if (mode !== "create") throw errno("ENOENT", path);
      if (this.#free() <= 0) throw errno("ENOSPC", path);
      node = { cached: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] };
      this.#changeDir(directory, { kind: "link", name, node });
    }
    return this.#file(node, this.#epoch);
  }

  async list(dir: string): Promise<string[]> {
    await this.#operate();
    return [...(this.#directories.get(dir)?.cached.keys() ?? [])];
  }

  async makeDir(dir: string): Promise<void> {
    await this.#operate();
    if (!this.#directories.has(dir)) this.#directories.set(dir, emptyDirectory());
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operate();
    const source = this.#locate(from);
    if (!source.directory.cached.has(source.name)) throw errno("ENOENT", from);
    if (this.#locate(to).directory !== source.directory) throw errno("EXDEV", to);
    this.#changeDir(source.directory, { kind: "rename", from: source.name, to: this.#locate(to).name });
  }

  async remove(path: string): Promise<void> {
    await this.#operate();
    const { directory, name } = this.#locate(path);
    if (!directory.cached.has(name)) throw errno("ENOENT", path);
    this.#changeDir(directory, { kind: "unlink", name });
  }

  async syncDir(dir: string): Promise<void> {
    await this.#operate();
    const directory = this.#directories.get(dir);
    if (directory === undefined) throw errno("ENOENT", dir);
    await this.#syncFault();
    for (const change of directory.unsynced) applyDirChange(directory.durable, change);
    directory.unsynced = [];
  }

  async readFile(path: string): Promise<Uint8Array | null> {
    await this.#operate();
    const { directory, name } = this.#locate(path);
    const node = directory.cached.get(name);
    return node === undefined ? null : Buffer.from(node.cached);
  }

  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    await this.#operate();
    const totalBytes = Number.isFinite(this.capacityBytes) ? this.capacityBytes : 1e15;
    return { freeBytes: Math.max(0, Math.min(this.#free(), totalBytes)), totalBytes };
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #file(node: Node, epoch: number): DiskFile {
    const operate = async (): Promise<void> => {
      await this.#operate();
      if (epoch !== this.#epoch) throw errno("EIO", "the power was cut");
    };
    return {
      size: async () => {
        await operate();
        return node.cached.length;
      },
      read: async (position, length) => {
        await operate();
        // A copy in memory of its own: the next write must not show through.
        const part = node.cached.subarray(position, position + length);
        const copy = Buffer.allocUnsafeSlow(part.length);
        part.copy(copy);
        return copy;
      },
      write: async (position, buffers) => {
        const bytes = Buffer.concat(buffers);
        // What lies within the file has its place already.
        const room = Math.max(0, node.cached.length + Math.max(0, this.#free()) - position);
        const part = bytes.subarray(0, Math.min(bytes.length, room));
        if (part.length > 0) change(node, { kind: "write", position, bytes: part });
        await operate();
        if (part.length < bytes.length) throw errno("ENOSPC", "no space left on device");
      },
      truncate: async (length) => {
        await operate();
        change(node, { kind: "truncate", length });
      },
      sync: async () => {
        const covered = node.unsynced.length;
        await operate();
        const lost = node.unsynced.splice(0, covered);
        await this.#syncFault();
        if (epoch !== this.#epoch) throw errno("EIO", "the power was cut");
        for (const c of lost) node.durable = applied(node.durable, c);
      },
      close: async () => {
        await operate();
      },
    };
  }

  async #operate(): Promise<void> {
    const epoch = this.#epoch;
    this.counts.operation++;
    const cut = this.counts.operation >= this.#cutAt;
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns--) await null;
    if (cut && epoch === this.#epoch) this.#cutWhat === "power" ? this.cutPower() : this.kill();
    if (epoch !== this.#epoch) throw errno("EIO", "the power was cut");
  }

  async #syncFault(): Promise<void> {
    const n = ++this.counts.sync;
    if (this.#slowSync !== null) await this.#slowSync.clock.sleep(this.#slowSync.ms);
    const fault = this.#failSyncAt;
    if (fault !== null && (fault.times === "once" ? n === fault.n : n >= fault.n))
      throw errno("EIO", "input/output error");
  }

  get usedBytes(): number {
    let used = 0;
    for (const directory of this.#directories.values())
      for (const node of directory.cached.values()) used += node.cached.length;
    return used;
  }

  #free(): number {
    return Number.isFinite(this.capacityBytes) ? this.capacityBytes - this.usedBytes : Infinity;
  }

  /** Sectors of unsynced writes reach the platter or not: none, all, the first ones, or any. */
  #tear(node: Node): void {
    const style = this.#random();
    if (style < 0.2) return;
    const stopAfter = style < 0.6 ? Math.floor(this.#random() * (1 + sectorsOf(node.unsynced))) : Infinity;
    const keep = style < 0.7 ? 1 : this.#random();
    let sector = 0;
    for (const c of node.unsynced) {
      if (c.kind === "truncate") {
        if (sector < stopAfter && this.#random() < keep) node.durable = applied(node.durable, c);
        continue;
      }
      for (let at = 0; at < c.bytes.length; sector++) {
        const length = Math.min(c.bytes.length - at, sectorBytes - ((c.position + at) % sectorBytes));
        const bytes = c.bytes.subarray(at, at + length);
        if (sector < stopAfter && this.#random() < keep)
          node.durable = applied(node.durable, { kind: "write", position: c.position + at, bytes });
        else if (sector === stopAfter) {
          const torn = bytes.subarray(0, Math.floor(this.#random() * length));
          node.durable = applied(node.durable, { kind: "write", position: c.position + at, bytes: torn });
        }
        at += length;
      }
    }
  }

  #changeDir(directory: Directory, c: DirChange): void {
    applyDirChange(directory.cached, c);
    directory.unsynced.push(c);
  }

  #locate(path: string): { directory: Directory; name: string } {
    const slash = path.lastIndexOf("/");
    const directory = this.#directories.get(path.slice(0, slash) || "/");
    if (directory === undefined) throw errno("ENOENT", path);
    return { directory, name: path.slice(slash + 1) };
  }

  #find(path: string): Node {
    const { directory, name } = this.#locate(path);
    const node = directory.cached.get(name);
    if (node === undefined) throw errno("ENOENT", path);
    return node;
  }
}

const emptyDirectory = (): Directory => ({ cached: new Map(), durable: new Map(), unsynced: [] });

function change(node: Node, c: FileChange): void {
  node.cached = applied(node.cached, c);
  node.unsynced.push(c);
}

function applied(content: Buffer, c: FileChange): Buffer {
  const length = c.kind === "truncate" ? c.length : Math.max(content.length, c.position + c.bytes.length);
  const result = c.kind === "write" && length === content.length ? content : Buffer.alloc(length);
  if (result !== content) content.copy(result, 0, 0, Math.min(content.length, length));
  if (c.kind === "write") result.set(c.bytes, c.position);
  return result;
}

function applyDirChange(names: Map<string, Node>, c: DirChange): void {
  if (c.kind === "link") names.set(c.name, c.node);
  else if (c.kind === "unlink") names.delete(c.name);
  else {
    const node = names.get(c.from);
    if (node === undefined) return;
    names.delete(c.from);
    names.set(c.to, node);
  }
}

const sectorsOf = (changes: FileChange[]): number =>
  changes.reduce((sum, c) => sum + (c.kind === "write" ? Math.ceil(c.bytes.length / sectorBytes) + 1 : 0), 0);
