import type { Platform } from "@lineshaft/client";
import { dayUs, type Micros, minuteUs, ProblemError, type ShiftCalendar } from "@lineshaft/contract/api";
import { machineSheets } from "../plant/index.ts";
import { shiftAt, shiftStartUs } from "../plant/shift.ts";
import { type Site, shiftsOf, siteOf } from "../plant/site.ts";
import type { TrueShift } from "../plant/truth.ts";
import type { Waiting } from "../protocols/end.ts";
import type { TruthBook } from "../truth/truth-book.ts";
import { type Booked, mouldOf, ordersOf, reasonsOf, setUpsOf } from "./bookings.ts";
import { Desk, type Paper } from "./desk.ts";
import type { Planner } from "./planning.ts";
import { type Places, placeOf, setUpOf } from "./set-up.ts";

export interface OfficeOptions {
  platform: Pick<Platform, "call">;
  book: TruthBook;
  /** Plans ahead. Default: nobody does. */
  planner?: Planner;
  /** How far back orders are booked when the plant starts. */
  historyUs: Micros;
  nowUs(): Micros;
  waiting: Waiting;
  say(text: string): void;
}

const everyMs = 1_000;
const againMs = 5_000;
/** What is set up holds since long before the first value. */
const setUpSinceUs = 30 * dayUs;

/**
 * The people of the plant: an engineer who sets up calendars, materials, ideal cycles and rules once, and a foreman who books orders, blocked cavities and reasons as they happen. What they write
 * follows from the truth, by the public API; with the faults that people make: an order booked late, a shift moved afterwards.
 */
export class Office {
  readonly #options: OfficeOptions;
  readonly #desk: Desk;
  /** Machines of which nobody writes down what happens in [since, until). */
  readonly #forgotten = new Map<string, { sinceUs: Micros; untilUs: Micros }>();
  /** Calendars that somebody changed, to be written. */
  readonly #moved = new Map<string, { site: Site; calendar: ShiftCalendar }>();
  readonly #shifts = new Map<string, TrueShift>();
  /** What the platform said to papers that it refused: told once. */
  readonly #refused = new Map<string, string>();

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#desk = new Desk(options.platform);
  }

  /** Nothing new is booked of this machine for a while; then all of it, at the times at which it was. */
  bookLate(machine: string, ms: number): void {
    const now = this.#options.nowUs();
    this.#forgotten.set(machine, { sinceUs: now, untilUs: now + ms * 1000 });
  }

  /** The shift that is on at the machine's site begins so much later: it is said now, when it has long begun. Names the shift. */
  moveShift(machine: string, minutes: number): string | null {
    const sheet = machineSheets.find((each) => each.machine === machine);
    const now = this.#options.nowUs();
    const site = sheet === undefined ? null : siteOf(sheet.equipment);
    const [shift] = site === null ? [] : shiftsOf(site, now, now + 1);
    if (site === null || shift === undefined) return null;
    const name = `${shift.name} +${minutes}`;
    const calendar = this.#moved.get(site.name)?.calendar ?? site.calendar;
    const definition = site.calendar.shifts.find((each) => each.name === shift.name);
    if (definition === undefined) return null;
    const start = later(definition.start, minutes);
    const others = site.calendar.shifts.filter((each) => each.name !== shift.name);
    this.#moved.set(site.name, {
      site,
      calendar: {
        ...calendar,
        shifts: [...calendar.shifts.filter((each) => each.name !== name), { ...definition, name, start }],
        exceptions: [
          ...calendar.exceptions.filter(({ day }) => day !== shift.productionDay),
          { day: shift.productionDay, shifts: [...others, { name }].map((each) => ({ shift: each.name })) },
        ],
      },
    });
    const fromUs = shift.fromUs + minutes * minuteUs;
    this.#shifts.set(shift.id, { ...shift, id: shift.id.replace(/[^/]*$/, name), name, fromUs });
    return name;
  }

  /** The shifts as people finally said they were. */
  shiftsOf(site: Site, fromUs: Micros, toUs: Micros): TrueShift[] {
    return shiftsOf(site, fromUs, toUs).map((shift) => this.#shifts.get(shift.id) ?? shift);
  }

  /** Until it is told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    const { waiting, say } = this.#options;
    const sinceUs = this.#options.nowUs() - setUpSinceUs;
    let told = "";
    let places: Places | null = null;
    while (!signal.aborted) {
      try {
        places ??= await this.#setUp(sinceUs, signal);
        await this.#book(places, signal);
        told = "";
        await waiting.sleep(everyMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        if (text !== told) say(`office: ${text}`);
        told = text;
        await waiting.sleep(againMs, signal);
      }
    }
  }

  /** All of it, else it is gone on with at the next try. */
  async #setUp(sinceUs: Micros, signal: AbortSignal): Promise<Places> {
    const places = await this.#places(signal);
    for (const paper of setUpOf(places, sinceUs)) await this.#write(paper, signal);
    return places;
  }

  async #places(signal: AbortSignal): Promise<Places> {
    const { platform } = this.#options;
    const places = new Map<string, number>();
    let cursor: string | undefined;
    do {
      const page = await platform.call("listEquipment", { query: { limit: 1000, cursor }, signal });
      for (const { path, id } of page.items) places.set(path, id);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    const missing = machineSheets.filter(({ equipment }) => !places.has(equipment.join("/")));
    if (missing.length === machineSheets.length)
      throw new Error("No machine of the plant is known to the platform yet.");
    return places;
  }

  async #book(places: Places, signal: AbortSignal): Promise<void> {
    const { book, planner, historyUs, nowUs } = this.#options;
    const now = nowUs();
    planner?.lookAhead(now);
    const fromUs = shiftStartUs(shiftAt(now - historyUs));
    const machines: Booked[] = [];
    for (const sheet of machineSheets) {
      const equipmentId = placeOf(places, sheet.equipment.join("/"));
      if (equipmentId === null) continue;
      const forgotten = this.#forgotten.get(sheet.machine);
      const toUs = forgotten !== undefined && forgotten.untilUs > now ? forgotten.sinceUs : now;
      const truth = toUs > fromUs ? book.machine(sheet.machine, fromUs, toUs) : null;
      if (truth !== null) machines.push({ sheet, equipmentId, truth, ahead: planner?.of(sheet, now) });
    }
    const papers = [
      ...ordersOf(machines),
      ...machines.flatMap((machine) => [
        ...mouldOf(machine, fromUs - setUpSinceUs),
        ...setUpsOf(machine),
        ...reasonsOf(machine),
      ]),
    ];
    for (const paper of papers) await this.#write(paper, signal);
    for (const [name, { calendar }] of this.#moved) {
      await this.#rewrite(calendar, signal);
      this.#moved.delete(name);
    }
  }

  /** A paper that is refused is told and left; the others go on. */
  async #write(paper: Paper, signal: AbortSignal): Promise<void> {
    const key = `${paper.kind} ${paper.id}`;
    try {
      await this.#desk.write(paper, signal);
      this.#refused.delete(key);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.retry === "later") throw error;
      if (this.#refused.get(key) !== error.message) this.#options.say(`office: ${key}: ${error.message}`);
      this.#refused.set(key, error.message);
    }
  }

  /** Over whatever stands there: it is an order of the fault menu. */
  async #rewrite(calendar: ShiftCalendar, signal: AbortSignal): Promise<void> {
    const { platform } = this.#options;
    const params = { id: calendar.name };
    const { revision } = await platform.call("getCalendar", { params, signal });
    await platform.call("putCalendar", { params, body: calendar, revision, signal });
  }
}

function later(clock: string, minutes: number): string {
  const [hour, minute] = clock.split(":").map(Number);
  const sum = (hour * 60 + minute + minutes) % 1440;
  return `${String(Math.floor(sum / 60)).padStart(2, "0")}:${String(sum % 60).padStart(2, "0")}`;
}
