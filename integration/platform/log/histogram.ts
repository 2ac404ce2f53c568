const firstMs = 0.02;
const stepsPerOctave = 4;
const bucketCount = 96;
const windowSize = 2048;

/** Quantiles of the last 2,048 to 4,096 durations in fixed memory; a value is right to about 10 %. */
export class LatencyHistogram {
  #current = new Uint32Array(bucketCount);
  #previous = new Uint32Array(bucketCount);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(ms, firstMs) / firstMs) * stepsPerOctave);
    this.#current[Math.min(bucket, bucketCount - 1)]++;
    if (++this.#count < windowSize) return;
    [this.#current, this.#previous] = [this.#previous.fill(0), this.#current];
    this.#count = 0;
  }

  /** 0 while nothing was measured. */
  quantile(q: number): number {
    let total = 0;
    for (let i = 0; i < bucketCount; i++) total += this.#current[i] + this.#previous[i];
    if (total === 0) return 0;
    let left = q * total;
    let i = 0;
    for (; i < bucketCount - 1; i++) {
      left -= this.#current[i] + this.#previous[i];
      if (left <= 0) break;
    }
    return firstMs * 2 ** ((i + 0.5) / stepsPerOctave);
  }
}
