// Hot path: fills ready frames in place, so that the generator leaves the cores to what is measured.
/**
 * The one definition of the factory mix that all benches use.
 *
 * A machine has 10 tags, in this order: 4 states, 2 counters, 4 analogs; so 40 % of all points are states, 20 % counters, 40 % analogs.
 * A batch is one scan of 100 machines: 1,000 points of 1,000 different tags. All 10 tags of a machine are read at one instant; that instant lies
 * 0 to 4 ms (uniform, whole µs) before the scan's time, differently for each machine and scan: the jitter of a real scan cycle. Only the first machine
 * of each batch is read exactly at the scan's time, so that a consumer can tell how old the batch is.
 *
 * - State: int64 0 … 17; stays for a geometric number of scans, on average 60 (the unit's state), 600 (its mode), 200 (alarm word, 0 or 1)
 *   and 20 (program step).
 * - Counter: int64, grows by 0 … 3 a scan; the second one by 1 in 1 of 50 scans (rejects). Never reset.
 * - Analog: double, resolution 0.1, first order autoregressive about a slow sine with period 300 to 900 scans and amplitude 5 to 30; noise of
 *   standard deviation 0.3, i.e. three steps of the resolution.
 *
 * Every row is Good. As binary frame a row carries its type; as columnar JSON the numbers stand plain, as sources send them, and so are
 * doubles. Values repeat after 4,096 scans (counters go on). Everything follows from the seed.
 */
import { columnsMediaType, encodeColumns, valueTypeCode } from "@lineshaft/contract/api";

export const tagsPerMachine = 10;
export const machinesPerBatch = 100;
export const rowsPerBatch = tagsPerMachine * machinesPerBatch;
export const jitterMaxUs = 4_000;
export const defaultSeed = 20_261_122;

const stateTags = 4;
const counterTags = 2;
/** Scans after which the values repeat; a power of two. */
const ring = 4_096;
/** Different machines; the others are these at another phase and offset. */
const patterns = 32;

/** xorshift32, enough to make data that a compressor cannot guess. */
function randomOf(seed: number): () => number {
  let x = seed | 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 4_294_967_296;
  };
}

/** Kind of the k-th tag of a machine. */
export function kindOf(tagOfMachine: number): "state" | "counter" | "analog" {
  if (tagOfMachine < stateTags) return "state";
  return tagOfMachine < stateTags + counterTags ? "counter" : "analog";
}

/** Values of all patterns, in tenths for analogs: [pattern][tag of machine][scan]. */
function buildPatterns(seed: number): Int32Array {
  const random = randomOf(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const values = new Int32Array(patterns * tagsPerMachine * ring);
  const dwells = [60, 600, 200, 20];
  const states = [18, 4, 2, 16];
  for (let p = 0; p < patterns; p++) {
    for (let k = 0; k < tagsPerMachine; k++) {
      const at = (p * tagsPerMachine + k) * ring;
      const kind = kindOf(k);
      const period = 300 + 600 * random();
      const amplitude = 50 + 250 * random();
      const base = 200 + 1_800 * random();
      let state = Math.floor(random() * states[k]);
      let count = 0;
      let noise = 0;
      for (let s = 0; s < ring; s++) {
        if (kind === "state") {
          if (random() < 1 / dwells[k]) state = Math.floor(random() * states[k]);
          values[at + s] = state;
        } else if (kind === "counter") {
          count += k === stateTags ? Math.floor(random() * 4) : random() < 0.02 ? 1 : 0;
          values[at + s] = count;
        } else {
          noise = 0.7 * noise + 2.14 * normal();
          values[at + s] = Math.round(base + amplitude * Math.sin((2 * Math.PI * s) / period) + noise);
        }
      }
    }
  }
  return values;
}

/** A frame of one batch, filled again for each scan. */
export interface BatchFrame {
  readonly body: Uint8Array;
  /** Views into `body`. */
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly tag: Int32Array;
}

export const binaryMediaType = columnsMediaType;

/** The factory: `machines` machines in batches of 100. `tagIds[i]` is the raw tag id of the i-th tag. */
export class FactoryMix {
  readonly batches: number;
  readonly #tagIds: Int32Array;
  readonly #patterns: Int32Array;
  readonly #jitter: Float64Array;

  constructor(tagIds: ArrayLike<number>, seed = defaultSeed) {
    if (tagIds.length === 0 || tagIds.length % rowsPerBatch !== 0)
      throw new Error(`The factory mix comes in batches of ${rowsPerBatch} tags; ${tagIds.length} are none.`);
    this.batches = tagIds.length / rowsPerBatch;
    this.#tagIds = Int32Array.from(tagIds);
    this.#patterns = buildPatterns(seed);
    const random = randomOf(seed ^ 0x5bd1e995);
    this.#jitter = Float64Array.from({ length: 8_191 }, () => Math.floor(random() * (jitterMaxUs + 1)));
  }

  /** Address of the i-th tag. */
  static address(i: number): string {
    const machine = Math.floor(i / tagsPerMachine);
    const k = i % tagsPerMachine;
    return `machine-${String(machine).padStart(5, "0")}/${kindOf(k)}-${k}`;
  }

  newFrame(): BatchFrame {
    const n = rowsPerBatch;
    const type = new Uint8Array(n);
    for (let i = 0; i < n; i++)
      type[i] = kindOf(i % tagsPerMachine) === "analog" ? valueTypeCode.double : valueTypeCode.int64;
    const body = encodeColumns({
      rows: n,
      tag: new Int32Array(n),
      time: new Float64Array(n),
      value: new Float64Array(n),
      status: null,
      type,
      ordinal: null,
      originalTime: null,
      exact: null,
    });
    // Layout of a frame: 32 bytes of header, time f64, value f64, tag i32 (contract/api/columns.ts).
    return {
      body,
      time: new Float64Array(body.buffer, 32, n),
      value: new Float64Array(body.buffer, 32 + 8 * n, n),
      tag: new Int32Array(body.buffer, 32 + 16 * n, n),
    };
  }

  /** Writes scan number `scan` of batch `batch` at `timeUs` into the frame. */
  fill(frame: BatchFrame, batch: number, scan: number, timeUs: number): void {
    const { time, value } = frame;
    const firstTag = batch * rowsPerBatch;
    frame.tag.set(this.#tagIds.subarray(firstTag, firstTag + rowsPerBatch));
    const values = this.#patterns;
    let row = 0;
    for (let m = 0; m < machinesPerBatch; m++) {
      const machine = batch * machinesPerBatch + m;
      const at = scan + machine * 37;
      const s = at & (ring - 1);
      const lap = (at - s) / ring;
      const instant = m === 0 ? timeUs : timeUs - this.#jitter[(machine * 31 + scan * 127) % 8_191];
      const offset = machine % 97;
      let p = (machine % patterns) * tagsPerMachine * ring + s;
      for (let k = 0; k < tagsPerMachine; k++) {
        time[row] = instant;
        if (k < stateTags) value[row] = values[p];
        else if (k < stateTags + counterTags) value[row] = values[p] + lap * values[p - s + ring - 1];
        else value[row] = (values[p] + offset) / 10;
        row++;
        p += ring;
      }
    }
  }

  /** The same as columnar JSON; plain numbers, as sources send them. */
  static json(frame: BatchFrame): string {
    const { time, value, tag } = frame;
    const base = time[0];
    let times = "";
    let values = "";
    for (let i = 0; i < rowsPerBatch; i++) {
      times += i === 0 ? "0" : `,${time[i] - base}`;
      values += i === 0 ? value[i] : `,${value[i]}`;
    }
    return `{"tag":[${tag.join(",")}],"timeBase":${base},"time":[${times}],"value":[${values}]}`;
  }
}
