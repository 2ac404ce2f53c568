/**
 * The file operations that durable parts use, as a port so that tests can cut the power, fill the disk and fail a sync.
 * Errors are Node's (`code`: ENOSPC, EIO, ENOENT …).
 */
export interface Disk {
  open(path: string, mode: "read" | "readWrite" | "create"): Promise<DiskFile>;
  /** Names in the directory; [] when it does not exist. */
  list(dir: string): Promise<string[]>;
  makeDir(dir: string): Promise<void>;
  /** Atomic; durable only after `syncDir` of the directory. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDir(dir: string): Promise<void>;
  readFile(path: string): Promise<Uint8Array | null>;
  space(dir: string): Promise<{ freeBytes: number; totalBytes: number }>;
}

export interface DiskFile {
  size(): Promise<number>;
  read(position: number, length: number): Promise<Uint8Array>;
  /** Writes all buffers, in order, at `position`. */
  write(position: number, buffers: Uint8Array[]): Promise<void>;
  truncate(length: number): Promise<void>;
  /** fdatasync: what was written before survives a power cut once this resolves. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
