import type { Micros } from "@lineshaft/contract/api";
import type { Lsn } from "@lineshaft/contract/ports";
import type { FileMeta } from "./trailer.ts";

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

/** The name that the finished file will have. */
export function nameOf(meta: FileMeta, serial: number): FileName {
  return {
    kind: meta.kind,
    lsnFrom: meta.covers[0][0],
    lsnTo: meta.covers[meta.covers.length - 1][1],
    fromUs: meta.fromUs,
    toUs: meta.toUs,
    serial,
  };
}
