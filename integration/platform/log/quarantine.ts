import type { Disk, LogStatus, Lsn } from "@lineshaft/contract/ports";
import type { LogEventSink } from "./events.ts";
import type { Damage } from "./scan.ts";
import { type Segment, withFile } from "./segment.ts";

type Item = LogStatus["quarantined"][number];

const listedMax = 1_000;
const copyBytes = 1024 * 1024;
const namePattern = /^(\d+)-(\d+)-(.+\.log)-(\d+)\.(quarantine|torn)$/;

/**
 * Damaged stretches of segments: a copy of the bytes beside the segment, whose name is the only record of it. The segment itself is
 * never changed. `.torn` is a hole in a write that nobody was told was done; `.quarantine` is rot.
 */
export class Quarantine {
  readonly items: Item[] = [];
  readonly #known = new Set<string>();
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #emit: LogEventSink;

  constructor(disk: Disk, dir: string, names: string[], emit: LogEventSink) {
    this.#disk = disk;
    this.#dir = dir;
    this.#emit = emit;
    for (const name of names) {
      const match = namePattern.exec(name);
      if (!match) continue;
      this.#known.add(`${match[3]}:${match[4]}`);
      if (match[5] === "quarantine") this.#list(Number(match[1]), Number(match[2]), match[3], Number(match[4]));
    }
  }

  static isName(name: string): boolean {
    return namePattern.test(name) || name.endsWith(".damaged");
  }

  /** Sets the stretch aside, once. */
  async add(segment: Segment, damage: Damage, toLsn: Lsn, kind: "rot" | "torn"): Promise<void> {
    const key = `${segment.name}:${damage.fromOffset}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    if (kind === "rot") this.#list(damage.fromLsn, toLsn, segment.name, damage.fromOffset);
    const name = `${damage.fromLsn}-${toLsn}-${segment.name}-${damage.fromOffset}.${kind === "rot" ? "quarantine" : "torn"}`;
    await this.#copy(segment, damage, name).catch(() => {
      // A full or failing disk: the damage is listed and told all the same, and found again after a restart.
    });
    const { fromOffset, toOffset, fromLsn } = damage;
    if (kind === "rot") {
      const text = `Bytes ${fromOffset} to ${toOffset} of ${segment.name} are damaged; records ${fromLsn} to ${toLsn} are lost, all others are served.`;
      this.#emit({ code: "frame_quarantined", text, fromLsn, toLsn, segment: segment.name });
    } else {
      const text = `The newest write to ${segment.name} was cut short after record ${fromLsn - 1}; ${toOffset - fromOffset} bytes of it were set aside as ${name}.`;
      this.#emit({ code: "torn_tail", text, lastLsn: fromLsn - 1, bytes: toOffset - fromOffset });
    }
  }

  /** A range that is missing as a whole: named, there are no bytes to keep. */
  addMissing(fromLsn: Lsn, toLsn: Lsn, before: Segment): void {
    const key = `${before.name}:missing`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    const text = `Records ${fromLsn} to ${toLsn}, before ${before.name}, are missing.`;
    if (this.items.length < listedMax) this.items.push({ fromLsn, toLsn, segment: before.name, detail: text });
    this.#emit({ code: "records_missing", text, fromLsn, toLsn });
  }

  #list(fromLsn: Lsn, toLsn: Lsn, segment: string, offset: number): void {
    if (this.items.length < listedMax)
      this.items.push({ fromLsn, toLsn, segment, detail: `Damaged at byte ${offset}.` });
  }

  async #copy(segment: Segment, damage: Damage, name: string): Promise<void> {
    const target = await this.#disk.open(`${this.#dir}/${name}`, "create");
    try {
      await withFile(this.#disk, segment.path, async (source) => {
        for (let at = damage.fromOffset; at < damage.toOffset; at += copyBytes) {
          const bytes = await source.read(at, Math.min(copyBytes, damage.toOffset - at));
          await target.write(at - damage.fromOffset, [bytes]);
        }
      });
      await target.sync();
    } finally {
      await target.close();
    }
    await this.#disk.syncDir(this.#dir);
  }
}
