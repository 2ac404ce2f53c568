import { Random } from "@lineshaft/simulation/plant";

/** Seeded chance for a campaign. */
export class Chance {
  readonly random: Random;

  constructor(seed: string) {
    this.random = new Random(seed);
  }

  may(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** A whole number, 0 ≤ it < n. */
  below(n: number): number {
    return Math.floor(this.random.next() * n);
  }

  of<T>(items: readonly T[]): T {
    return this.random.pick(items);
  }
}
