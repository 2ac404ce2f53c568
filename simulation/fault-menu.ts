import type { Disturbances, Strength } from "./protocols/disturbance.ts";
import { defaultStrength } from "./protocols/disturbance.ts";
import { type FaultKind, faultKinds, type ProtocolEnd, type ValueFault, valueFaults } from "./protocols/end.ts";

/** The end that speaks for each machine, and for whatever else can be named in a fault (the edge node). */
export type Speaker = Pick<ProtocolEnd, "protocol" | "faultsOf" | "fault">;
export type Speakers = ReadonlyMap<string, Speaker>;

/** A number that goes with a fault. */
interface Parameter {
  text: string;
  minimum: number;
  maximum: number;
  default: number;
}
type Parameters = Partial<Record<"seconds" | "minutes" | keyof Strength, Parameter>>;

const secondsMax = 3600;
const seconds: Parameter = { text: "How long it lasts.", minimum: 0.1, maximum: secondsMax, default: 10 };

/** Every fault in words, with its numbers. */
const menu: Record<FaultKind, { text: string; parameters: Parameters }> = {
  cut: {
    text: "The network cable is pulled; a Sparkplug device loses its line to the edge node.",
    parameters: { seconds },
  },
  restart: {
    text: "Off, and on again: what lies in memory (queues, pulse counters) is gone.",
    parameters: { seconds },
  },
  plcDownload: {
    text: "A program is loaded into the controller: it is silent, then its counters begin at 0.",
    parameters: { seconds },
  },
  duplicate: { text: "Every message is sent twice.", parameters: { seconds } },
  reorder: { text: "Messages overtake one another.", parameters: { seconds } },
  delay: {
    text: "Values come late, with the time at which they were measured.",
    parameters: {
      seconds,
      delaySeconds: { text: "How late.", minimum: 0.1, maximum: 14_400, default: defaultStrength.delaySeconds },
    },
  },
  burst: {
    text: "Measured values come many times as often.",
    parameters: {
      seconds,
      factor: { text: "How many times.", minimum: 2, maximum: 100, default: defaultStrength.factor },
    },
  },
  rebirth: { text: "Births that nobody asked for.", parameters: {} },
  dropBirth: { text: "A new session whose birth certificates get lost.", parameters: { seconds } },
  freeze: { text: "Values stay what they are; their times go on.", parameters: { seconds } },
  skew: {
    text: "The controller's clock is wrong.",
    parameters: {
      seconds,
      skewSeconds: {
        text: "How far it is ahead; negative: behind.",
        minimum: -secondsMax,
        maximum: secondsMax,
        default: defaultStrength.skewSeconds,
      },
    },
  },
  counterReset: { text: "Counters begin at 0.", parameters: {} },
  counterRollover: { text: "Counters reach their end within ten counts and go on from 0.", parameters: {} },
};

/** What people do wrong, whatever their machine speaks. */
const officeMenu = {
  bookLate: {
    text: "Nobody books the machine's orders for a while; then all of it, with the times at which it was.",
    parameters: { seconds: { ...seconds, default: 600, maximum: 14_400 } },
  },
  moveShift: {
    text: "It is said that the shift that is on at the machine's site began later.",
    parameters: { minutes: { text: "So much later.", minimum: 5, maximum: 120, default: 30 } },
  },
} as const satisfies Record<string, { text: string; parameters: Parameters }>;
type OfficeFault = keyof typeof officeMenu;
const officeFaults = Object.keys(officeMenu) as OfficeFault[];

/** Who books and plans. */
export interface FaultyOffice {
  /** Machines that are booked. */
  machines: readonly string[];
  bookLate(machine: string, ms: number): void;
  /** null: no shift is on. */
  moveShift(machine: string, minutes: number): string | null;
}

interface ActiveFault {
  machine: string;
  fault: FaultKind | OfficeFault;
  affected: readonly string[];
  untilMs: number;
}

export interface Answer {
  status: number;
  body: unknown;
}

export const refused = (status: number, detail: string): Answer => ({ status, body: { detail } });

/** What `GET /faults` shows and `POST /faults` does. */
export class FaultMenu {
  readonly #speakers: Speakers;
  readonly #disturbances: Disturbances;
  readonly #nowMs: () => number;
  readonly #office: FaultyOffice | null;
  #active: ActiveFault[] = [];

  constructor(parts: { speakers: Speakers; disturbances: Disturbances; nowMs(): number; office: FaultyOffice | null }) {
    this.#speakers = parts.speakers;
    this.#disturbances = parts.disturbances;
    this.#nowMs = parts.nowMs;
    this.#office = parts.office;
  }

  show(): Answer {
    const now = this.#nowMs();
    this.#active = this.#active.filter(({ untilMs }) => untilMs > now);
    const machines = [...this.#speakers].map(([machine, speaker]) => ({
      machine,
      protocol: speaker.protocol,
      faults: this.#faultsOf(machine, speaker),
    }));
    const offered = { ...menu, ...(this.#office === null ? {} : officeMenu) };
    const faults = Object.entries(offered).map(([fault, entry]) => ({ fault, ...entry }));
    const active = this.#active.map(({ untilMs, ...rest }) => ({ ...rest, secondsLeft: (untilMs - now) / 1000 }));
    return { status: 200, body: { machines, faults, active } };
  }

  order(body: unknown): Answer {
    if (typeof body !== "object" || body === null)
      return refused(400, "Send a JSON object: {machine, fault, seconds}.");
    const { machine, fault, ...numbers } = body as Record<string, unknown>;
    const all = [...faultKinds, ...officeFaults];
    const kind = all.find((each) => each === fault);
    if (kind === undefined) return refused(400, `There is no such fault; there are ${all.join(", ")}.`);
    const parameters = { ...menu, ...officeMenu }[kind].parameters as Record<string, Parameter | undefined>;
    const given: Record<string, number> = {};
    for (const [name, parameter] of Object.entries(parameters)) if (parameter) given[name] = parameter.default;
    for (const [name, value] of Object.entries(numbers)) {
      const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (parameter === undefined)
        return refused(400, `"${kind}" takes ${Object.keys(parameters).join(", ") || "no numbers"}.`);
      const { minimum, maximum } = parameter;
      if (typeof value !== "number" || !(value >= minimum && value <= maximum))
        return refused(400, `${name} must be a number from ${minimum} to ${maximum}.`);
      given[name] = value;
    }
    const speaker = typeof machine === "string" ? this.#speakers.get(machine) : undefined;
    if (typeof machine !== "string" || speaker === undefined)
      return refused(404, `No such machine is on; there are ${[...this.#speakers.keys()].join(", ")}.`);
    const known = this.#faultsOf(machine, speaker);
    if (!known.includes(kind))
      return refused(422, `${machine} knows no fault "${kind}"; it knows ${known.join(", ")}.`);
    const affected = isOfficeFault(kind)
      ? this.#misbook(machine, kind, given)
      : this.#begin(machine, kind, given, speaker);
    this.#active.push({ machine, fault: kind, affected, untilMs: this.#nowMs() + (given.seconds ?? 0) * 1000 });
    return { status: 202, body: { machine, fault: kind, ...given, affected } };
  }

  #faultsOf(machine: string, speaker: Speaker): readonly (FaultKind | OfficeFault)[] {
    const booked = this.#office?.machines.includes(machine) ?? false;
    return booked ? [...speaker.faultsOf(machine), ...officeFaults] : speaker.faultsOf(machine);
  }

  #misbook(machine: string, kind: OfficeFault, given: Record<string, number>): readonly string[] {
    if (kind === "bookLate") this.#office?.bookLate(machine, given.seconds * 1000);
    else this.#office?.moveShift(machine, Math.round(given.minutes));
    return [machine];
  }

  #begin(machine: string, kind: FaultKind, given: Record<string, number>, speaker: Speaker): readonly string[] {
    const ms = (given.seconds ?? 0) * 1000;
    const affected = speaker.fault(machine, kind, ms);
    // What a protocol does in a way of its own is not done to the values too; a download does both.
    if (isValueFault(kind) && (affected === null || kind === "plcDownload"))
      this.#disturbances.begin(machine, kind, ms, given);
    return affected ?? [machine];
  }
}

const isOfficeFault = (kind: FaultKind | OfficeFault): kind is OfficeFault =>
  (officeFaults as readonly string[]).includes(kind);

function isValueFault(kind: FaultKind): kind is ValueFault {
  return (valueFaults as readonly string[]).includes(kind);
}
