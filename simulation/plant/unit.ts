import type { Random } from "./random.ts";

/** StateCurrent as PackML (ISA-TR88.00.02) numbers it; the part of the state model that these machines use. */
export const packMl = {
  clearing: 1,
  stopped: 2,
  starting: 3,
  idle: 4,
  suspended: 5,
  execute: 6,
  aborting: 8,
  aborted: 9,
  holding: 10,
  held: 11,
  unholding: 12,
  suspending: 13,
  unsuspending: 14,
  resetting: 15,
  completing: 16,
  complete: 17,
} as const;
export type PackMlState = keyof typeof packMl;

/** How often and how long a machine stops by itself; means, in seconds of execution and of standstill. */
export interface StopProfile {
  microStopEverySeconds: number;
  microStopSeconds: number;
  breakdownEverySeconds: number;
  breakdownSeconds: number;
  microStopReasons: readonly string[];
  breakdownReasons: readonly string[];
}

/** What surrounds the machine in this scan. */
export interface Surroundings {
  starved: boolean;
  blocked: boolean;
}

type Step = readonly [state: PackMlState, seconds: number];

const startUp = (staggerSeconds: number): Step[] => [
  ["resetting", 3],
  ["idle", 1 + staggerSeconds],
  ["starting", 5],
  ["execute", Infinity],
];

/**
 * The state of one machine: transient states pass by themselves, standstills last as long as chance says, and a machine that is starved or
 * blocked is Suspended (external cause), one that stops itself is Held (micro stop) or Aborted (breakdown).
 */
export class Unit {
  reason = "";
  #script: Step[];
  #left: number;
  #microStopIn: number;
  #breakdownIn: number;
  readonly #random: Random;
  readonly #profile: StopProfile;

  /** Begins with the hand-over of the shift: stopped for `handOverSeconds`, then up. */
  constructor(random: Random, profile: StopProfile, handOverSeconds: number, staggerSeconds: number) {
    this.#random = random;
    this.#profile = profile;
    this.#microStopIn = random.exponential(profile.microStopEverySeconds);
    this.#breakdownIn = random.exponential(profile.breakdownEverySeconds);
    this.#script = [["stopped", handOverSeconds], ...startUp(staggerSeconds)];
    this.#left = handOverSeconds;
    this.reason = "Shift hand-over";
  }

  get state(): PackMlState {
    return this.#script[0][0];
  }

  get executing(): boolean {
    return this.state === "execute";
  }

  /**
   * The number of the alarm on its controller's screen; 0: none. A breakdown raises one of its own until it is cleared; of the micro stops only the first kind does, since the others end by
   * themselves.
   */
  get alarm(): number {
    const { microStopReasons, breakdownReasons } = this.#profile;
    if (this.state === "aborting" || this.state === "aborted") return 201 + breakdownReasons.indexOf(this.reason);
    const held = this.state === "holding" || this.state === "held";
    return held && this.reason === microStopReasons[0] ? 101 : 0;
  }

  /** The order is done: complete, and stay so until `restart`. */
  complete(): void {
    this.#play(
      [
        ["completing", 3],
        ["complete", Infinity],
      ],
      "Changeover",
    );
  }

  restart(staggerSeconds: number): void {
    this.#play(startUp(staggerSeconds), "Changeover");
  }

  step(dtSeconds: number, { starved, blocked }: Surroundings): void {
    this.#left -= dtSeconds;
    while (this.#left <= 0 && this.#script.length > 1) {
      this.#script.shift();
      this.#left += this.#script[0][1];
    }
    if (this.state === "execute") this.#run(dtSeconds, starved, blocked);
    else if (this.state === "suspended" && !starved && !blocked)
      this.#play(
        [
          ["unsuspending", 0.8],
          ["execute", Infinity],
        ],
        this.reason,
      );
  }

  #run(dtSeconds: number, starved: boolean, blocked: boolean): void {
    this.reason = "";
    const { microStopEverySeconds, microStopSeconds, microStopReasons } = this.#profile;
    const { breakdownEverySeconds, breakdownSeconds, breakdownReasons } = this.#profile;
    this.#microStopIn -= dtSeconds;
    this.#breakdownIn -= dtSeconds;
    if (this.#breakdownIn <= 0) {
      this.#breakdownIn = this.#random.exponential(breakdownEverySeconds);
      const standstill = breakdownSeconds * this.#random.between(0.4, 1.9);
      this.#play(
        [["aborting", 1.2], ["aborted", standstill], ["clearing", 12], ["stopped", 8], ...startUp(0)],
        this.#random.pick(breakdownReasons),
      );
    } else if (this.#microStopIn <= 0) {
      this.#microStopIn = this.#random.exponential(microStopEverySeconds);
      const standstill = 2 + this.#random.exponential(microStopSeconds);
      this.#play(
        [
          ["holding", 0.6],
          ["held", standstill],
          ["unholding", 1.2],
          ["execute", Infinity],
        ],
        this.#random.pick(microStopReasons),
      );
    } else if (starved || blocked) {
      this.#play(
        [
          ["suspending", 0.4],
          ["suspended", Infinity],
        ],
        starved ? "Starved" : "Blocked",
      );
    }
  }

  #play(script: Step[], reason: string): void {
    this.#script = script;
    this.#left = script[0][1];
    this.reason = reason;
  }
}
