import type { Sums } from "@lineshaft/contract/api";

type Count = Omit<Sums, "balanced">;

/**
 * The sum rule: offered = stored + duplicates + rejected + dropped + pending, in datapoints, in all and by connection. Counted from
 * the log's records, so that it is the same after a crash.
 */
export class SumLedger {
  #total: Count = none();
  #byConnection = new Map<number, Count>();

  /** A points record became durable: `suspect` of its rows wait for their verdict. */
  points(connectionId: number, rows: number, suspect: number): void {
    this.#add(connectionId, { offered: rows, stored: rows - suspect, pending: suspect });
  }

  judged(connectionId: number, stored: number, repeats: number): void {
    this.#add(connectionId, { pending: -(stored + repeats), stored, duplicates: repeats });
  }

  /** Batches recognised by their sequence number; they are not logged again. */
  resent(connectionId: number, rows: number): void {
    this.#add(connectionId, { offered: rows, duplicates: rows });
  }

  rejected(connectionId: number | null, points: number): void {
    this.#add(connectionId, { offered: points, rejected: points });
  }

  dropped(connectionId: number | null, points: number): void {
    this.#add(connectionId, { offered: points, dropped: points });
  }

  total(): Sums {
    return { ...this.#total, balanced: balanced(this.#total) };
  }

  of(connectionId: number): Count {
    return this.#byConnection.get(connectionId) ?? none();
  }

  toJSON(): { total: Count; byConnection: [number, Count][] } {
    return { total: this.#total, byConnection: [...this.#byConnection] };
  }

  static from(json: { total: Count; byConnection: [number, Count][] }): SumLedger {
    const sums = new SumLedger();
    sums.#total = json.total;
    sums.#byConnection = new Map(json.byConnection);
    return sums;
  }

  #add(connectionId: number | null, change: Partial<Count>): void {
    let counts = [this.#total];
    if (connectionId !== null) {
      const own = this.#byConnection.get(connectionId) ?? none();
      this.#byConnection.set(connectionId, own);
      counts = [this.#total, own];
    }
    for (const count of counts) {
      for (const key in change) count[key as keyof Count] += change[key as keyof Count] ?? 0;
    }
  }
}

function none(): Count {
  return { offered: 0, stored: 0, duplicates: 0, rejected: 0, dropped: 0, pending: 0 };
}

function balanced(c: Count): boolean {
  return c.offered === c.stored + c.duplicates + c.rejected + c.dropped + c.pending && c.pending >= 0;
}
