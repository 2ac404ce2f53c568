/** The y axis of one pane. */
export interface ValueRange {
  min: number;
  max: number;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const mantissa = least / power;
  const nice = mantissa <= 1.000001 ? 1 : mantissa <= 2.000001 ? 2 : mantissa <= 5.000001 ? 5 : 10;
  return nice * power;
}

/** A range with round ends around the data, with a little air. A constant gets air of its own size. */
export function niceRange(min: number, max: number, parts = 5): ValueRange {
  if (!(min <= max)) return { min: 0, max: 1 };
  const middle = (min + max) / 2;
  const height = max - min > Math.abs(middle) * 1e-9 ? max - min : Math.abs(middle) * 0.1 || 1;
  const step = niceStep((height * 1.1) / parts);
  const low = Math.floor((middle - (height * 1.05) / 2) / step) * step;
  const high = Math.ceil((middle + (height * 1.05) / 2) / step) * step;
  // Quantities that cannot be negative should not get a negative axis just for air.
  return { min: min >= 0 && low < 0 ? 0 : low, max: max <= 0 && high > 0 ? 0 : high };
}

/**
 * The axis while live: it stays as it is as long as the data fit, grows to the next round range when they do not, and never
 * shrinks by itself.
 */
export function steadyRange(current: ValueRange | null, min: number, max: number): ValueRange {
  if (!(min <= max)) return current ?? { min: 0, max: 1 };
  if (current === null) return niceRange(min, max);
  if (min >= current.min && max <= current.max) return current;
  const grown = niceRange(Math.min(min, current.min), Math.max(max, current.max));
  return { min: Math.min(grown.min, current.min), max: Math.max(grown.max, current.max) };
}

export interface ValueTick {
  value: number;
  digits: number;
}

/** Round values within the range, about one per `pixelsPerTick`. */
export function valueTicks(range: ValueRange, heightPx: number, pixelsPerTick = 34): ValueTick[] {
  const height = range.max - range.min;
  if (!(height > 0)) return [];
  const step = niceStep(height / Math.max(1, Math.floor(heightPx / pixelsPerTick)));
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
  const ticks: ValueTick[] = [];
  for (let n = Math.ceil(range.min / step - 1e-9); n * step <= range.max + step * 1e-9; n++)
    ticks.push({ value: n === 0 ? 0 : n * step, digits });
  return ticks;
}
