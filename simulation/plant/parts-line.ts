import { definer, type LineKind, type LineModel, type Look, orderNumber } from "./line.ts";
import type { MachineSheet, Telling } from "./machine-kind.ts";
import { machineryState } from "./machinery-state.ts";
import type { Random } from "./random.ts";
import { approach, resolve, type SignalTable } from "./signal.ts";
import { packMl, Unit } from "./unit.ts";

const line = ["Eastgate", "Parts", "Parts line 2"];

/** Serial numbers begin above 2^53, where a float64 can no longer tell neighbours apart. */
export const firstSerial = 9_007_199_254_740_993n;
/** More parts than a press makes in a shift, so that serials of two shifts never meet. */
const serialsPerShift = 100_000n;

/** A machine that works in cycles, one part (or one shot) each. */
export class CyclicMachine {
  readonly unit: Unit;
  /** 0 to 1 within the cycle. */
  phase = 0;
  cycleSeconds: number;
  parts = 0;
  rejects = 0;
  orderPosition = 0;
  /** True in the scan in which a part was finished. */
  finished = false;
  #orderParts: number;
  #orderMade = 0;
  #setUpSeconds = 0;
  readonly #random: Random;
  readonly #idealCycleSeconds: number;
  readonly #rejectRate: number;
  readonly #partsPerOrder: number;

  constructor(
    random: Random,
    unit: Unit,
    rates: { idealCycleSeconds: number; rejectRate: number; partsPerOrder: number },
  ) {
    this.#random = random;
    this.unit = unit;
    this.#idealCycleSeconds = rates.idealCycleSeconds;
    this.#rejectRate = rates.rejectRate;
    this.#partsPerOrder = rates.partsPerOrder;
    this.cycleSeconds = rates.idealCycleSeconds;
    this.#orderParts = Math.round(rates.partsPerOrder * random.between(0.6, 1.4));
  }

  get ordered(): number {
    return this.#orderParts;
  }

  step(dtSeconds: number): void {
    this.finished = false;
    if (this.#orderMade >= this.#orderParts && this.unit.executing) this.unit.complete();
    this.unit.step(dtSeconds, { starved: false, blocked: false });
    if (this.unit.state === "complete") this.#setUp(dtSeconds);
    if (!this.unit.executing) return;
    this.phase += dtSeconds / this.cycleSeconds;
    if (this.phase < 1) return;
    this.phase -= 1;
    this.cycleSeconds = this.#idealCycleSeconds * (1 + 0.02 * Math.abs(this.#random.noise()));
    this.finished = true;
    this.parts++;
    if (this.#random.next() < this.#rejectRate) this.rejects++;
    this.#orderMade++;
  }

  #setUp(dtSeconds: number): void {
    if (this.#setUpSeconds === 0) this.#setUpSeconds = this.#random.between(240, 600);
    this.#setUpSeconds -= dtSeconds;
    if (this.#setUpSeconds > 0) return;
    this.#setUpSeconds = 0;
    this.orderPosition++;
    this.#orderMade = 0;
    this.#orderParts = Math.round(this.#partsPerOrder * this.#random.between(0.6, 1.4));
    this.unit.restart(0);
  }
}

/** Each makes one thing. */
const rates = {
  Press1: { idealCycleSeconds: 1.4, rejectRate: 0.006, partsPerOrder: 3_000 },
  MC1: { idealCycleSeconds: 48, rejectRate: 0.012, partsPerOrder: 90 },
  IMM1: { idealCycleSeconds: 22, rejectRate: 0.009, partsPerOrder: 220 },
} as const;
const sheet = (
  machine: keyof typeof rates,
  name: string,
  material: string,
  part: string,
  states: Telling["states"],
  more: Pick<Telling, "order"> = {},
): MachineSheet => ({
  machine,
  equipment: [...line, name],
  telling: { states, counters: "totalAndScrap", sampledSeconds: null, ...more },
  unit: "1",
  counts: "units",
  continuous: false,
  products: [
    { material, name: part, idealCycleSeconds: rates[machine].idealCycleSeconds, unitsPerCycle: 1, family: [] },
  ],
});
/** What an engineer notes of each machine. */
export const partsSheets: readonly MachineSheet[] = [
  sheet("Press1", "Press 1", "P-BRACKET", "Bracket", "packml"),
  sheet("MC1", "Machining centre 1", "P-VALVE", "Valve body", "packml", { order: "orderNumber" }),
  sheet("IMM1", "Moulding machine 1", "P-CAP", "Cap", "machinery"),
];

/** A press, a machining centre and an injection moulding machine side by side: pulses, booleans, serials, process curves. */
export class PartsLine implements LineModel {
  readonly press: CyclicMachine;
  readonly machining: CyclicMachine;
  readonly moulding: CyclicMachine;
  readonly #random: Random;
  readonly #shift: number;
  readonly #publish: ((dtSeconds: number) => void)[];

  constructor(random: Random, table: SignalTable, shift: number) {
    this.#random = random;
    this.#shift = shift;
    const handOver = random.between(40, 120);
    const make = (
      rates: { idealCycleSeconds: number; rejectRate: number; partsPerOrder: number },
      microStopReasons: string[],
      breakdownReasons: string[],
      microStopEverySeconds: number,
    ) => {
      const profile = {
        microStopEverySeconds,
        microStopSeconds: 25,
        breakdownEverySeconds: 11_000,
        breakdownSeconds: 540,
        microStopReasons,
        breakdownReasons,
      };
      return new CyclicMachine(random, new Unit(random, profile, handOver, random.between(0, 20)), rates);
    };
    this.press = make(rates.Press1, ["Strip misfeed", "Slug in die"], ["Die protection", "Hydraulic pump"], 500);
    this.machining = make(
      rates.MC1,
      ["Chip in clamping", "Bar feeder empty"],
      ["Spindle overload", "Tool broken"],
      1_500,
    );
    this.moulding = make(rates.IMM1, ["Part not ejected", "Hopper empty"], ["Heater zone 3", "Mould cooling"], 900);
    this.#publish = [
      this.#common(table, "Press 1", "Press1", this.press, "PP"),
      this.#common(table, "Machining centre 1", "MC1", this.machining, "PM"),
      this.#common(table, "Moulding machine 1", "IMM1", this.moulding, "PI"),
      this.#pressSignals(table),
      this.#machiningSignals(table),
      this.#mouldingSignals(table),
    ];
  }

  step(dtSeconds: number): void {
    this.press.step(dtSeconds);
    this.machining.step(dtSeconds);
    this.moulding.step(dtSeconds);
    for (const publish of this.#publish) publish(dtSeconds);
  }

  readonly truth = { look: () => this.#look() };

  #look(): Look[] {
    const machines = [
      ["Press1", this.press, "PP"],
      ["MC1", this.machining, "PM"],
      ["IMM1", this.moulding, "PI"],
    ] as const;
    return machines.map(([machine, { unit, parts, rejects, orderPosition, ordered }, prefix]) => ({
      machine,
      ...machineryState(unit.state),
      text: unit.reason,
      alarm: unit.alarm,
      produced: parts,
      scrapped: rejects,
      order: orderNumber(prefix, this.#shift, orderPosition),
      material: partsSheets.find((each) => each.machine === machine)?.products[0].material ?? "",
      ordered,
    }));
  }

  #common(table: SignalTable, name: string, prefix: string, machine: CyclicMachine, orders: string): () => void {
    const define = definer(table, [...line, name], prefix);
    const order = define.text("Order", "OrderNumber", orderNumber(orders, this.#shift, 0));
    const state = define.integer("State code", "State", "change", packMl[machine.unit.state]);
    const item = define.text("Item state", "MachineryItemState", "NotExecuting");
    const mode = define.text("Operation mode", "MachineryOperationMode", "Processing");
    const reason = define.text("Stop reason", "StopReason", machine.unit.reason);
    const alarm = define.integer("Alarm", "AlarmCode", "change", 0);
    const parts = define.integer("Parts", "PartCount", "change", 0);
    const rejects = define.integer("Rejects", "RejectCount", "change", 0);
    return () => {
      const { itemState, operationMode } = machineryState(machine.unit.state);
      table.set(order, orderNumber(orders, this.#shift, machine.orderPosition));
      table.set(state, packMl[machine.unit.state]);
      table.set(item, itemState);
      table.set(mode, operationMode);
      table.set(reason, machine.unit.reason);
      table.set(alarm, machine.unit.alarm);
      table.set(parts, machine.parts);
      table.set(rejects, machine.rejects);
    };
  }

  #pressSignals(table: SignalTable): (dtSeconds: number) => void {
    const { press } = this;
    const define = definer(table, [...line, "Press 1"], "Press1");
    const pulse = define.boolean("Stroke pulse", "StrokePulse", true);
    const guard = define.boolean("Guard closed", "GuardClosed", true);
    const serialBefore = firstSerial + BigInt(this.#shift) * serialsPerShift;
    const serial = define.integer("Serial number", "SerialNumber", "change", serialBefore);
    const force = define.number("Peak force", "PeakForce", "kN", "1HzChange", 0);
    const hydraulic = define.number("Hydraulic pressure", "HydraulicPressure", "bar", "5Hz", 40);
    const oil = define.number("Oil temperature", "OilTemperature", "Cel", "1Hz", 41);
    let celsius = 41;
    return (dt) => {
      const running = press.unit.executing;
      celsius = approach(celsius, running ? 52 : 34, dt, 900);
      // The cam switch is closed in the first half of the turn; when the press stops, it stays as it is.
      table.set(pulse, press.phase < 0.5);
      table.set(guard, press.unit.state !== "held" && press.unit.state !== "aborted");
      if (press.finished) {
        table.set(serial, serialBefore + BigInt(press.parts));
        table.set(force, resolve(812 + 9 * this.#random.noise(), 0.1));
      }
      const stroke = running ? Math.max(0, Math.sin(press.phase * Math.PI * 2)) : 0;
      table.set(hydraulic, resolve(42 + 160 * stroke + this.#random.noise(), 0.1));
      table.set(oil, resolve(celsius + 0.06 * this.#random.noise(), 0.1));
    };
  }

  #machiningSignals(table: SignalTable): (dtSeconds: number) => void {
    const { machining } = this;
    const define = definer(table, [...line, "Machining centre 1"], "MC1");
    const program = define.text("Program", "Program", "O0100");
    const tool = define.integer("Tool", "ToolNumber", "change", 1);
    const door = define.boolean("Door closed", "DoorClosed", true);
    const spindle = define.number("Spindle speed", "SpindleSpeed", "{rev}/min", "1Hz", 0);
    const load = define.number("Spindle load", "SpindleLoad", "%", "5Hz", 0);
    const coolant = define.number("Coolant temperature", "CoolantTemperature", "Cel", "1Hz", 22);
    const toolSpeeds = [3_200, 8_500, 12_000, 5_400];
    let celsius = 22;
    let percent = 0;
    let revolutions = 0;
    return (dt) => {
      const loading = machining.phase > 0.86;
      const cutting = machining.unit.executing && !loading;
      const index = Math.min(3, Math.floor((machining.phase / 0.86) * 4));
      const changingTool = ((machining.phase / 0.86) * 4) % 1 < 0.1;
      revolutions = approach(revolutions, cutting && !changingTool ? toolSpeeds[index] : 0, dt, 0.8);
      percent = approach(percent, cutting && !changingTool ? 38 + 14 * index : 2, dt, 0.6);
      celsius = approach(celsius, cutting ? 27 : 21, dt, 600);
      table.set(program, `O${String(100 + machining.orderPosition * 10).padStart(4, "0")}`);
      table.set(tool, index + 1);
      table.set(door, machining.unit.executing ? !loading : machining.unit.state === "idle");
      table.set(spindle, resolve(revolutions, 1));
      table.set(load, resolve(Math.max(0, percent * (1 + 0.06 * this.#random.noise())), 0.1));
      table.set(coolant, resolve(celsius + 0.05 * this.#random.noise(), 0.1));
    };
  }

  #mouldingSignals(table: SignalTable): (dtSeconds: number) => void {
    const { moulding } = this;
    const define = definer(table, [...line, "Moulding machine 1"], "IMM1");
    const clamp = define.boolean("Mould closed", "MouldClosed", false);
    const cycle = define.number("Cycle time", "CycleTime", "s", "1HzChange", 22);
    const cavity = define.number("Cavity pressure", "CavityPressure", "bar", "5Hz", 0);
    const melt = define.number("Melt temperature", "MeltTemperature", "Cel", "1Hz", 228);
    const mould = define.number("Mould temperature", "MouldTemperature", "Cel", "1Hz", 58);
    let meltCelsius = 228;
    let mouldCelsius = 58;
    return (dt) => {
      const running = moulding.unit.executing;
      const { phase } = moulding;
      meltCelsius = approach(meltCelsius, moulding.unit.state === "aborted" ? 205 : 230, dt, 400);
      mouldCelsius = approach(mouldCelsius, running ? 61 : 48, dt, 300);
      // Injection until 0.12, holding pressure until 0.4, then cooling.
      const shape = phase < 0.12 ? phase / 0.12 : phase < 0.4 ? 0.72 : Math.max(0, 0.72 - (phase - 0.4) * 4);
      table.set(clamp, running && phase < 0.82);
      if (moulding.finished) table.set(cycle, resolve(moulding.cycleSeconds, 0.01));
      table.set(cavity, running ? resolve(Math.max(0, 520 * shape + 2.5 * this.#random.noise()), 0.1) : 0);
      table.set(melt, resolve(meltCelsius + 0.2 * this.#random.noise(), 0.1));
      table.set(mould, resolve(mouldCelsius + 0.5 * Math.sin(phase * Math.PI * 2) + 0.05 * this.#random.noise(), 0.1));
    };
  }
}

export const partsLine: LineKind = {
  connection: "eastgate-parts-2",
  begin: (random, table, shift) => new PartsLine(random, table, shift),
};
