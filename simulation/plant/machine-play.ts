import { type ItemState, type Micros, type OperationMode, secondUs } from "@lineshaft/contract/api";
import { orderNumber } from "./line.ts";
import type { MachineKind, Product } from "./machine-kind.ts";
import type { Random } from "./random.ts";
import { emptyTruth, type MachineTruth, type PieceKind } from "./truth.ts";

/** A controller looks at its machine five times a second: nothing of it has a finer time. */
export const scanUs: Micros = secondUs / 5;

/** The stretch that is played: one shift, whatever the calendar calls it, with the breaks in it. */
export interface Stretch {
  fromUs: Micros;
  toUs: Micros;
  breaks: readonly { fromUs: Micros; toUs: Micros }[];
  /** Numbers the orders. */
  shift: number;
}

/** Reasons of the starting vocabulary. */
const cause = { slow: 1_200_000, changeover: 5_100_000, absent: 6_100_000, rest: 6_200_000, noOrder: 6_400_000 };
const microStops = [3_100_000, 4_100_000, 4_200_000] as const;
const breakdowns = [7_100_000, 7_200_000, 7_900_000] as const;

/** What a machine of a kind really does in a stretch of time: a function of the kind, the chance and the stretch, from event to event. */
export function playMachine(kind: MachineKind, random: Random, stretch: Stretch): MachineTruth {
  return new Play(kind, random, stretch).run();
}

interface Job {
  /** One, or one for each part of a family mould. */
  orders: { order: string; material: string; cavities: number; quantity: number }[];
  product: Product;
  cycles: number;
}

class Play {
  readonly #kind: MachineKind;
  readonly #random: Random;
  readonly #stretch: Stretch;
  readonly #truth: MachineTruth;
  readonly #jobs: Job[] = [];
  #t: Micros;
  #microIn: number;
  #breakdownIn: number;
  #slowness = 1;
  #position = 0;
  #lastProduct: Product | null = null;
  #blocked = false;

  constructor(kind: MachineKind, random: Random, stretch: Stretch) {
    this.#kind = kind;
    this.#random = random;
    this.#stretch = stretch;
    this.#truth = emptyTruth(stretch.fromUs, stretch.toUs);
    this.#t = stretch.fromUs;
    this.#microIn = random.exponential(kind.microStopEverySeconds) * secondUs;
    this.#breakdownIn = random.exponential(kind.breakdownEverySeconds) * secondUs;
  }

  run(): MachineTruth {
    const random = this.#random;
    this.#state("NotExecuting", "Processing", cause.absent, "Shift hand-over");
    this.#stand(random.between(30, 120) * secondUs);
    while (!this.#over) {
      const job = this.#nextJob();
      const fromUs = this.#now;
      this.#setUp(job);
      this.#make(job);
      const toUs = Math.min(this.#now, this.#stretch.toUs);
      if (toUs > fromUs) for (const order of job.orders) this.#truth.executions.push({ ...order, fromUs, toUs });
      this.#unblock(toUs);
      if (!this.#over && random.next() < 0.1) {
        this.#state("NotExecuting", "None", cause.noOrder, "No order");
        this.#stand(random.between(120, 600) * secondUs);
      }
    }
    return this.#truth;
  }

  get #over(): boolean {
    return this.#now >= this.#stretch.toUs;
  }

  /** The scan that sees what happens now. */
  get #now(): Micros {
    return Math.ceil(this.#t / scanUs) * scanUs;
  }

  /** Now and then an order is interrupted for one in a hurry, and goes on afterwards. */
  #nextJob(): Job {
    const waiting = this.#jobs.shift();
    if (waiting !== undefined) return waiting;
    const job = this.#newJob(1);
    if (this.#random.next() < 0.75) return job;
    const first = Math.ceil(job.cycles * this.#random.between(0.2, 0.6));
    this.#jobs.push(this.#newJob(0.3), { ...job, cycles: job.cycles - first });
    return { ...job, cycles: first };
  }

  #newJob(size: number): Job {
    const { orders, products, orderCycles } = this.#kind;
    const product = this.#random.pick(products);
    const cycles = Math.max(2, Math.round(orderCycles * size * this.#random.between(0.6, 1.4)));
    const parts =
      product.family.length > 0 ? product.family : [{ material: product.material, cavities: product.unitsPerCycle }];
    const made = parts.map(({ material, cavities }) => ({
      order: orderNumber(orders, this.#stretch.shift, this.#position++),
      material,
      cavities: this.#kind.counts === "cycles" ? cavities : 1,
      quantity: cycles * cavities,
    }));
    return { orders: made, product, cycles };
  }

  /** A needle that does not open: somebody closes its gate, and the order goes on with a part less in each cycle. */
  #block([first]: Job["orders"]): void {
    const { blockedAfterSeconds } = this.#kind;
    if (blockedAfterSeconds === null || this.#blocked || first.cavities < 2) return;
    if (this.#now - this.#stretch.fromUs < blockedAfterSeconds * secondUs) return;
    this.#blocked = true;
    this.#truth.blocked.push({ order: first.order, cavities: 1, fromUs: this.#now, toUs: this.#stretch.toUs });
  }

  /** One that was closed in the order's last cycle was closed for nobody. */
  #unblock(at: Micros): void {
    for (const block of this.#truth.blocked) block.toUs = Math.min(block.toUs, at);
    this.#truth.blocked = this.#truth.blocked.filter(({ fromUs, toUs }) => fromUs < toUs);
  }

  /** A short one where the product stays the same. The first pieces of a tool tell whether it is well set, and are scrap. */
  #setUp(job: Job): void {
    const random = this.#random;
    const same = this.#lastProduct === job.product;
    this.#lastProduct = job.product;
    const fromUs = this.#now;
    this.#state("NotExecuting", "Setup", cause.changeover, "Changeover");
    this.#stand(this.#kind.setUpSeconds * (same ? 0.25 : 1) * random.between(0.7, 1.3) * secondUs);
    if (!same && this.#kind.setUpSeconds > 0 && !this.#over) {
      this.#state("Executing", "Setup", cause.changeover, "Trial run");
      for (let i = 0; i < 2 && !this.#over; i++) {
        this.#t += job.product.idealCycleSeconds * 1.2 * secondUs;
        if (!this.#over) this.#piece("scrap", this.#counts(job.product));
      }
    }
    const toUs = Math.min(this.#now, this.#stretch.toUs);
    if (toUs > fromUs) for (const { order } of job.orders) this.#truth.setUps.push({ order, fromUs, toUs });
  }

  #make({ product, cycles, orders }: Job): void {
    this.#execute();
    for (let made = 0; made < cycles && !this.#over; made++) {
      this.#run(product.idealCycleSeconds * this.#slowness * (1 + 0.02 * Math.abs(this.#random.noise())) * secondUs);
      if (this.#over) return;
      this.#block(orders);
      this.#pieces(this.#counts(product));
    }
  }

  #execute(): void {
    const slow = this.#random.next() < this.#kind.slowShare;
    this.#slowness = slow ? this.#random.between(1.15, 1.5) : 1;
    this.#state("Executing", "Processing", slow ? cause.slow : 0, "");
  }

  /** A cycle of so much running time; it goes on after a stop and after a break. */
  #run(us: number): void {
    let left = us;
    while (left > 0 && !this.#over) {
      const pause = this.#pauseAt(this.#t);
      const untilPause = pause === null ? Number.POSITIVE_INFINITY : pause.fromUs - this.#t;
      const step = Math.min(left, this.#microIn, this.#breakdownIn, Math.max(0, untilPause));
      left -= step;
      this.#t += step;
      this.#microIn -= step;
      this.#breakdownIn -= step;
      if (this.#over) return;
      if (pause !== null && this.#t >= pause.fromUs) this.#rest(pause.toUs);
      else if (this.#breakdownIn <= 0) this.#breakDown();
      else if (this.#microIn <= 0) this.#stopShortly();
      else continue;
      // It is seen to run again before the piece comes.
      left = Math.max(left, 2 * scanUs);
    }
  }

  #pauseAt(t: Micros): { fromUs: Micros; toUs: Micros } | null {
    if (this.#kind.breaks === "runs") return null;
    return this.#stretch.breaks.find(({ toUs }) => toUs > t) ?? null;
  }

  #rest(untilUs: Micros): void {
    this.#state("NotExecuting", "None", cause.rest, "Break");
    // Nobody is back to the second.
    this.#stand(untilUs - this.#t + this.#random.between(0, 40) * secondUs);
    if (!this.#over) this.#execute();
  }

  #stopShortly(): void {
    const { microStopEverySeconds, microStopSeconds } = this.#kind;
    this.#microIn = this.#random.exponential(microStopEverySeconds) * secondUs;
    this.#state("NotExecuting", "Processing", this.#random.pick(microStops), "Short stop");
    this.#stand((2 + this.#random.exponential(microStopSeconds)) * secondUs);
    if (!this.#over) this.#execute();
  }

  #breakDown(): void {
    const { breakdownEverySeconds, breakdownSeconds } = this.#kind;
    this.#breakdownIn = this.#random.exponential(breakdownEverySeconds) * secondUs;
    this.#state("OutOfService", "Processing", this.#random.pick(breakdowns), "Fault");
    this.#stand((60 + this.#random.exponential(breakdownSeconds)) * secondUs);
    if (!this.#over) this.#execute();
  }

  #stand(us: number): void {
    this.#t += us;
  }

  /** What the machine's counters count in one cycle. */
  #counts({ unitsPerCycle }: Product): number {
    return this.#kind.counts === "cycles" ? 1 : unitsPerCycle;
  }

  #pieces(units: number): void {
    const { scrapRate, reworkRate, continuous } = this.#kind;
    const counts: Record<PieceKind, number> = { good: 0, scrap: 0, rework: 0 };
    for (let i = 0; i < (continuous ? 1 : units); i++) {
      const chance = this.#random.next();
      counts[chance < scrapRate ? "scrap" : chance < scrapRate + reworkRate ? "rework" : "good"] += continuous
        ? units
        : 1;
    }
    for (const kind of ["good", "scrap", "rework"] as const) if (counts[kind] > 0) this.#piece(kind, counts[kind]);
  }

  #piece(kind: PieceKind, n: number): void {
    const atUs = this.#now;
    if (atUs < this.#stretch.toUs) this.#truth.pieces.push({ atUs, kind, n });
  }

  #state(itemState: ItemState, operationMode: OperationMode, reason: number, text: string): void {
    const { states } = this.#truth;
    const state = { fromUs: this.#now, itemState, operationMode, cause: reason, text };
    if (state.fromUs >= this.#stretch.toUs) return;
    // Shorter than a scan: nobody saw it.
    if (states.at(-1)?.fromUs === state.fromUs) states.pop();
    const last = states.at(-1);
    if (last?.itemState === itemState && last.operationMode === operationMode && last.cause === reason) return;
    states.push(state);
  }
}
