import {
  type Cell,
  ColumnsBuilder,
  defaultOeePolicy,
  type EquipmentContext,
  hourUs,
  type Micros,
  minuteUs,
  type ShiftOccurrence,
  secondUs,
} from "@lineshaft/contract/api";
import { type MachineKind, playMachine, shiftsOf, siteOf, sites } from "@lineshaft/simulation/plant";
import type { Span } from "@lineshaft/simulation/truth";
import type { Policies } from "../../../applications/oee/index.ts";
import type { Window } from "../../../integration/platform/context/cells.ts";
import {
  cellsOf,
  contextDifference,
  dirtyWindows,
  shiftOccurrences,
} from "../../../integration/platform/context/index.ts";
import {
  type BindingSpec,
  Derivation,
  type DirtyRange,
  GapLedger,
  type GapStatement,
  MemoryInputs,
  machineFacts,
  textKey,
} from "../../../integration/platform/derivation/index.ts";
import { inOrder, replace, unlike } from "./cell-store.ts";
import { Chance } from "./chance.ts";
import { unsound, untrue } from "./compare.ts";
import { faulted, type MenuFault } from "./faults.ts";
import { kinds } from "./kinds.ts";
import { cellsOfLine, wrongOfLine } from "./line.ts";
import { MachineUnderTest } from "./machine.ts";
import { Saved } from "./saved.ts";

/** 13:00 in Berlin and 07:00 in Chicago: a change of shift at both sites lies in the window. */
const start: Micros = Date.UTC(2026, 10, 26, 9) * 1000;
const window: Span = { fromUs: start, toUs: start + 8 * hourUs };
/** The plant goes on a little, so that what is open at the end of the window has an end. */
const end: Micros = window.toUs + hourUs / 2;
const forever: Micros = Number.MAX_SAFE_INTEGER;
const microStopUs = 60 * secondUs;

const shiftsAt = new Map(sites.map((site) => [site, shiftsOf(site, start - hourUs, end + hourUs)]));
const breaksAt = ({ equipment }: MachineKind) =>
  (shiftsAt.get(siteOf(equipment)) ?? []).flatMap(({ breaks }) => breaks);

type Event = { at: Micros } & (
  | { is: "row"; machine: MachineUnderTest; tag: number; t: Micros; value: number | string }
  | { is: "gap"; statement: Omit<GapStatement, "lsn"> }
  | { is: "booking"; machine: MachineUnderTest; book(): void }
);

/**
 * Eight hours of eight machines through the platform's derivation, context and OEE, in memory, while everything happens to them that the fault menu has; orders are booked late, shifts moved, the
 * process restarts. Only what the platform calls dirty is computed again. At the end isolated late points and edits, each settled; then every current value is compared with
 * the plant's own truth. Tells what is wrong; null: nothing.
 */
export function truthCampaign(
  seed: number,
  faultsOf: (machine: string, chance: Chance) => readonly MenuFault[],
): string | null {
  return new Campaign(seed, faultsOf).run();
}

class Campaign {
  readonly #chance: Chance;
  readonly #machines: MachineUnderTest[];
  readonly #store = new MemoryInputs(new GapLedger());
  readonly #cells = new Map<MachineUnderTest, Map<Micros, Cell[]>>();
  /** Two of the machines are a line too: its cells, and where those of its machines have changed since. */
  readonly #line: readonly [MachineUnderTest, MachineUnderTest];
  readonly #lineCells = new Map<Micros, Cell[]>();
  #lineDirty: Window[] = [];
  readonly #contexts = new Map<MachineUnderTest, EquipmentContext>();
  /** Of these somebody said something new. */
  readonly #said = new Set<MachineUnderTest>();
  #derivation = new Derivation();
  readonly #saved = new Saved();
  /** Rows on their way. */
  #rows = new ColumnsBuilder();
  #watermark: Micros = start - hourUs;
  #lsn = 0;

  constructor(seed: number, faultsOf: (machine: string, chance: Chance) => readonly MenuFault[]) {
    this.#chance = new Chance(`truth ${seed}`);
    const chance = this.#chance;
    this.#machines = kinds.map((kind, i) => {
      const stretch = { fromUs: start, toUs: end, breaks: breaksAt(kind), shift: seed };
      const truth = playMachine(kind, chance.random, stretch);
      const goodParts = chance.may(0.5);
      const policy = {
        ...defaultOeePolicy,
        version: `p${i}`,
        microStopUs: chance.of([0, 30 * secondUs, microStopUs]),
        microStopTo: chance.of(["availability", "effectiveness"] as const),
        outsidePlan: chance.of(["extend", "exclude"] as const),
        noOrder: chance.of(["busy", "notBusy"] as const),
        setUp: goodParts ? ("firstGoodPart" as const) : ("booked" as const),
        setUpParts: chance.of([1, 3, 7]),
        setUpQuantity: chance.of(["inside", "outside"] as const),
      };
      const faults = faulted(kind, faultsOf(kind.machine, chance), chance, { fromUs: start, toUs: end });
      return new MachineUnderTest(i + 1, kind, truth, faults, policy, chance);
    });
    const named = (name: string) => this.#machines.find(({ kind }) => kind.machine === name) as MachineUnderTest;
    this.#line = [named("MC2"), named("Assembly1")];
    for (const machine of this.#machines) {
      machine.shifts = this.#shifts(machine);
      this.#cells.set(machine, new Map());
    }
  }

  run(): string | null {
    this.#assemble();
    const { stream, late } = this.#events();
    this.#stream(stream);
    this.#settle(end + hourUs);
    for (const event of late) {
      this.#take(event);
      this.#settle(this.#watermark + this.#chance.below(hourUs));
    }
    for (const machine of this.#machines) {
      const wrong = this.#compare(machine);
      if (wrong !== null) return `${machine.kind.machine} (${machine.faulted.faults.join(", ")}): ${wrong}`;
    }
    return this.#wrongOfLine() ?? this.#unlikeFromScratch(this.#chance.of(this.#machines));
  }

  /** Step by step it is what comes of it at once, and that is true. */
  #wrongOfLine(): string | null {
    const [first, last] = this.#line;
    const cells = inOrder(this.#lineCells);
    const wrong = unlike(this.#cellsOfLine({ from: start, to: end }), cells);
    if (wrong !== null) return `line: ${wrong}`;
    const shifts = shiftsAt.get(siteOf(first.kind.equipment)) ?? [];
    const own = cells.filter(({ gridUs }) => gridUs < window.toUs);
    return wrongOfLine(first, last, { shifts, window, cells: own });
  }

  /** What was repaired step by step is, to the last bit, what comes of all of it at once. */
  #unlikeFromScratch(machine: MachineUnderTest): string | null {
    const { equipment } = machine;
    const derivation = new Derivation();
    derivation.setCycles(equipment, machine.cycles());
    for (const spec of machine.bindings(start)) derivation.add(spec, "derive");
    derivation.tick(this.#watermark);
    derivation.settle(this.#store);
    const facts = machineFacts(derivation.bindingsOf(equipment), start, end);
    const cells = cellsOf({ equipment, facts, context: machine.context(facts) }, { from: start, to: end });
    const wrong = unlike(cells, inOrder(this.#cells.get(machine) ?? new Map()));
    return wrong === null ? null : `${machine.kind.machine}: ${wrong}`;
  }

  #specs(): BindingSpec[] {
    return this.#machines.flatMap((machine) => machine.bindings(start));
  }

  /** All of it from history. */
  #assemble(): void {
    for (const machine of this.#machines) this.#derivation.setCycles(machine.equipment, machine.cycles());
    for (const spec of this.#specs()) {
      this.#store.know(spec);
      this.#derivation.add(spec, "derive");
    }
  }

  /** The product's shifts; at a site that moves one afterwards it is not the right one yet. */
  #shifts(machine: MachineUnderTest): ShiftOccurrence[] {
    const { calendar } = siteOf(machine.kind.equipment);
    const right = shiftOccurrences(calendar, start - hourUs, end + hourUs);
    if (!machine.faulted.faults.includes("moveShift")) return right;
    const later = (clock: string): string => `${clock.slice(0, 2)}:${clock.slice(3) === "00" ? "30" : "45"}`;
    const shifts = calendar.shifts.map((shift) => ({
      ...shift,
      start: later(shift.start),
      end: later(shift.end),
      breaks: shift.breaks.map((rest) => ({ ...rest, minutes: 15 })),
    }));
    return shiftOccurrences({ ...calendar, shifts }, start - hourUs, end + hourUs);
  }

  /** What arrives, in the order in which it does; and apart from it what turns up only when everything else is long done. */
  #events(): { stream: Event[]; late: Event[] } {
    const chance = this.#chance;
    const stream: Event[] = [];
    const late: Event[] = [];
    for (const machine of this.#machines) {
      const { offline, lost, duplicates, reorders, delays, faults } = machine.faulted;
      for (const row of machine.rows) {
        if (lost.some(({ fromUs, toUs }) => fromUs <= row.t && row.t < toUs)) continue;
        const away = offline.find(({ fromUs, toUs }) => fromUs <= row.t && row.t < toUs);
        let at = away === undefined ? row.t : away.toUs;
        if (chance.may(reorders)) at += chance.below(5 * secondUs);
        if (chance.may(delays)) at += chance.below(2 * hourUs);
        const event: Event = { at, is: "row", machine, tag: machine.tagOf(row.what), t: row.t, value: row.value };
        if (chance.may(1 / machine.rows.length)) late.push(event);
        else stream.push(event);
        if (chance.may(duplicates)) stream.push({ ...event, at: at + chance.below(minuteUs) });
      }
      const connection = machine.equipment;
      const gap = (at: Micros, from: Micros, says: "lost" | "covered"): Event => ({
        at,
        is: "gap",
        statement: { connection, from, to: Number.POSITIVE_INFINITY, says },
      });
      for (const { fromUs, toUs } of offline)
        stream.push(
          gap(fromUs + 10 * secondUs, fromUs, "lost"),
          gap(Math.max(toUs, fromUs + 10 * secondUs), fromUs, "covered"),
        );
      for (const { fromUs, toUs } of lost)
        stream.push(gap(Math.min(toUs, fromUs + minuteUs), fromUs, "lost"), gap(toUs, toUs, "covered"));
      this.#bookings(machine, faults.includes("bookLate"), stream, late);
      if (faults.includes("moveShift")) {
        const { calendar } = siteOf(machine.kind.equipment);
        const book = (): void => {
          machine.shifts = shiftOccurrences(calendar, start - hourUs, end + hourUs);
        };
        (chance.may(0.5) ? stream : late).push({ at: start + chance.below(8 * hourUs), is: "booking", machine, book });
      }
    }
    stream.sort((a, b) => a.at - b.at);
    return { stream, late };
  }

  /** Orders, set-ups and closed cavities, as they happen or long afterwards; begin and end of an order are two bookings. */
  #bookings(machine: MachineUnderTest, booksLate: boolean, stream: Event[], late: Event[]): void {
    const chance = this.#chance;
    const { shown } = machine;
    const push = (at: Micros, book: () => void): void => {
      const event: Event = {
        at: at + (booksLate ? chance.below(hourUs) : chance.below(secondUs)),
        is: "booking",
        machine,
        book,
      };
      (booksLate && chance.may(0.1) ? late : stream).push(event);
    };
    for (const execution of shown.executions) {
      const others = () =>
        machine.executions.filter(({ order, fromUs }) => order !== execution.order || fromUs !== execution.fromUs);
      const begin = (): void => {
        if (others().length === machine.executions.length) machine.executions.push({ ...execution, toUs: forever });
      };
      const finish = (): void => {
        machine.executions = [...others(), execution];
      };
      push(execution.fromUs, begin);
      push(execution.toUs, finish);
    }
    for (const setUp of machine.bookedSetUps) push(setUp.toUs, () => machine.setUps.push(setUp));
    for (const block of shown.blocked) push(block.toUs, () => machine.blocked.push(block));
    // What is said of a stop, or found out of parts, comes when it comes.
    for (const { annotation } of machine.said)
      push(annotation.toUs + chance.below(2 * hourUs), () => machine.annotations.push(annotation));
    for (const { booking } of machine.late) push(booking.bookedUs, () => machine.lateScrap.push(booking));
  }

  #stream(events: readonly Event[]): void {
    const chance = this.#chance;
    const every = 6 / events.length;
    for (const event of events) {
      this.#take(event);
      if (!chance.may(every)) continue;
      if (chance.may(0.25)) this.#restart();
      this.#settle(event.at - chance.of([0, 2 * secondUs, minuteUs]));
    }
  }

  #take(event: Event): void {
    const lsn = ++this.#lsn;
    if (event.is === "row") {
      const { tag, t, value } = event;
      const number = typeof value === "string" ? textKey(value) : value;
      const row = { tag, t, ordinal: 0, value: number, bad: false, revision: null, lsn };
      if (this.#store.put(row) === "new") this.#rows.add(tag, t, value);
      return;
    }
    this.#deliver();
    if (event.is === "booking") {
      event.book();
      this.#said.add(event.machine);
      const { equipment } = event.machine;
      const cycles = event.machine.cycles();
      this.#do((derivation) => derivation.setCycles(equipment, cycles));
      return;
    }
    const { connection } = event.statement;
    for (const { from, to, lost } of this.#store.gaps.add({ ...event.statement, lsn }))
      this.#do((derivation) => derivation.gapChanged(connection, from, to, lost));
  }

  /** What came since the last time reaches derivation. */
  #deliver(): void {
    if (this.#rows.rows === 0) return;
    const columns = this.#rows.build();
    this.#rows = new ColumnsBuilder();
    this.#do((derivation) => derivation.apply(columns));
  }

  /** Something that stands in the log: after a crash it is read again. */
  #do(what: (derivation: Derivation) => void): void {
    what(this.#derivation);
    this.#saved.since.push(what);
  }

  /**
   * The process is killed and starts again: facts come from what was saved and from the log since, or, where nothing was, from history; results stay as they were published.
   */
  #restart(): void {
    this.#deliver();
    const derivation = new Derivation();
    this.#derivation = derivation;
    if (!this.#saved.restore(derivation, this.#specs())) this.#assemble();
    this.#derivation.tick(this.#watermark);
  }

  #settle(watermark: Micros): void {
    if (watermark > this.#watermark) this.#watermark = watermark;
    this.#deliver();
    this.#derivation.tick(this.#watermark);
    // A save may find a repair that is not done yet.
    if (this.#chance.may(0.1)) this.#saved.save(this.#derivation, this.#watermark);
    this.#derivation.settle(this.#store);
    if (this.#chance.may(0.1)) this.#saved.save(this.#derivation, this.#watermark);
    const dirty = this.#derivation.takeDirty(() => microStopUs);
    for (const machine of this.#machines) {
      const own = dirty.filter(({ equipment }) => equipment === machine.equipment);
      if (own.length > 0 || this.#said.has(machine) || !this.#contexts.has(machine)) this.#publish(machine, own);
    }
    this.#said.clear();
    this.#publishLine();
  }

  /** Computes again what is dirty: by facts that are others, and by what people say of them. */
  #publish(machine: MachineUnderTest, dirty: readonly DirtyRange[]): void {
    const facts = machineFacts(this.#derivation.bindingsOf(machine.equipment), start, end);
    const context = machine.context(facts);
    const before = this.#contexts.get(machine);
    this.#contexts.set(machine, context);
    const differs = before === undefined ? [{ from: start, to: end }] : contextDifference(before, context);
    const cells = this.#cells.get(machine) as Map<Micros, Cell[]>;
    // A count at an instant belongs to what ends there.
    const changed = dirty.map(({ from, to }) => ({ from: from - 1, to }));
    for (const window of dirtyWindows([...changed, ...differs], facts, context.lateScrap)) {
      replace(cells, window, cellsOf({ equipment: machine.equipment, facts, context }, window));
      if (this.#line.includes(machine)) this.#lineDirty.push(window);
    }
  }

  /** A line is computed again where one of its machines was. */
  #publishLine(): void {
    for (const window of this.#lineDirty) replace(this.#lineCells, window, this.#cellsOfLine(window));
    this.#lineDirty = [];
  }

  #cellsOfLine(range: Window): Cell[] {
    const facts = ({ equipment }: MachineUnderTest) => machineFacts(this.#derivation.bindingsOf(equipment), start, end);
    return cellsOfLine(...this.#line, facts, range);
  }

  #compare(machine: MachineUnderTest): string | null {
    const policies: Policies = new Map([[machine.policy.version, machine.policy]]);
    const cells = [...(this.#cells.get(machine) ?? [])]
      .filter(([grid]) => grid < window.toUs)
      .flatMap(([, list]) => list);
    const shifts = shiftsAt.get(siteOf(machine.kind.equipment)) ?? [];
    return unsound(cells, policies, window) ?? untrue(cells, policies, machine.truth(shifts, window));
  }
}
