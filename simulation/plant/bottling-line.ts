import { definer, type LineKind, type LineModel, type Look, orderNumber } from "./line.ts";
import type { MachineSheet } from "./machine-kind.ts";
import { machineryState } from "./machinery-state.ts";
import { Random } from "./random.ts";
import { approach, resolve, type SignalTable } from "./signal.ts";
import { packMl, type StopProfile, Unit } from "./unit.ts";

const line = ["Northfield", "Filling", "Bottling line 1"];

/** In flow order. The filler is the slowest: it is what the line is built around, the others must catch up after their stops. */
const machines = [
  { name: "Filler", bottlesPerSecond: 10, rejectRate: 0.004, stopsFactor: 1.4, breakdownsFactor: 1.5 },
  { name: "Capper", bottlesPerSecond: 11.2, rejectRate: 0.003, stopsFactor: 1, breakdownsFactor: 1.2 },
  { name: "Labeller", bottlesPerSecond: 11.6, rejectRate: 0.006, stopsFactor: 0.6, breakdownsFactor: 1 },
  { name: "Packer", bottlesPerSecond: 12, rejectRate: 0.001, stopsFactor: 0.8, breakdownsFactor: 0.9 },
] as const;

/** Bottles that the conveyors between the machines hold. */
export const conveyorBottles = [450, 350, 600] as const;

const reasons: Record<string, { micro: readonly string[]; breakdown: readonly string[] }> = {
  Filler: { micro: ["Bottle fallen at infeed", "Foam over"], breakdown: ["Filling valve 17 leaks", "Product supply"] },
  Capper: { micro: ["Cap jam", "Cap hopper empty"], breakdown: ["Clutch of head 4", "Star wheel drive"] },
  Labeller: { micro: ["Label web torn", "Label reel empty"], breakdown: ["Glue pump", "Label sensor"] },
  Packer: { micro: ["Carton jam", "Carton magazine empty"], breakdown: ["Gripper vacuum", "Servo fault axis 2"] },
};

const products = [
  { material: "B-APPLE-050", name: "Apple spritzer 0.5 l" },
  { material: "B-WATER-050", name: "Still water 0.5 l" },
  { material: "B-LEMON-050", name: "Lemonade 0.5 l" },
  { material: "B-ORANGE-033", name: "Orange 0.33 l" },
] as const;

/** The serial line, in flow order; its first machine is the slowest. */
export const serialLine = { path: line.join("/"), machines: machines.map(({ name }) => `${name}1`) };

/** What an engineer notes of each machine. Their counters are read once a second: ten bottles lie between two readings. */
export const bottlingSheets: readonly MachineSheet[] = machines.map(({ name, bottlesPerSecond }) => ({
  machine: `${name}1`,
  equipment: [...line, `${name} 1`],
  telling: { states: "packml", counters: "totalAndScrap", sampledSeconds: 1 },
  unit: "1",
  counts: "units",
  continuous: false,
  products: products.map((product) => ({
    ...product,
    idealCycleSeconds: 1 / bottlesPerSecond,
    unitsPerCycle: 1,
    family: [],
  })),
}));

function stops(index: number): StopProfile {
  const { name, stopsFactor, breakdownsFactor } = machines[index];
  return {
    microStopEverySeconds: 420 * stopsFactor,
    microStopSeconds: 18,
    breakdownEverySeconds: 9_000 * breakdownsFactor,
    breakdownSeconds: 420,
    microStopReasons: reasons[name].micro,
    breakdownReasons: reasons[name].breakdown,
  };
}

interface Station {
  unit: Unit;
  /** Bottles a second now; the drive ramps. */
  speed: number;
  /** Part of the next bottle. */
  fraction: number;
  processed: number;
  rejected: number;
}

/** Filler, capper, labeller and packer with conveyors between them; PackML states and tags. */
export class BottlingLine implements LineModel {
  readonly stations: Station[];
  /** Bottles on each conveyor. */
  readonly conveyors = [0, 0, 0];
  #orderPosition = 0;
  #orderBottles: number;
  #orderFilled = 0;
  #changeoverSeconds = 0;
  #product: (typeof products)[number];
  readonly #random: Random;
  readonly #shift: number;
  readonly #publish: (dtSeconds: number) => void;

  constructor(random: Random, table: SignalTable, shift: number) {
    this.#random = random;
    this.#shift = shift;
    this.#orderBottles = Math.round(random.between(9_000, 22_000));
    this.#product = random.pick(products);
    const handOverSeconds = random.between(60, 150);
    this.stations = machines.map((_, i) => ({
      unit: new Unit(random, stops(i), handOverSeconds, i * 2),
      speed: 0,
      fraction: 0,
      processed: 0,
      rejected: 0,
    }));
    this.#publish = this.#signals(table);
  }

  step(dtSeconds: number): void {
    this.#changeOver(dtSeconds);
    // Downstream first, so that a place freed in this scan can be used in this scan.
    for (let i = this.stations.length - 1; i >= 0; i--) this.#move(i, dtSeconds);
    this.#publish(dtSeconds);
  }

  readonly truth = { look: () => this.#look() };

  #look(): Look[] {
    return this.stations.map(({ unit, processed, rejected }, i) => ({
      machine: `${machines[i].name}1`,
      ...machineryState(unit.state),
      text: unit.reason,
      alarm: unit.alarm,
      produced: processed,
      scrapped: rejected,
      order: this.order,
      material: this.#product.material,
      ordered: this.#orderBottles,
    }));
  }

  get order(): string {
    return orderNumber("PO", this.#shift, this.#orderPosition);
  }

  #move(i: number, dtSeconds: number): void {
    const station = this.stations[i];
    const { unit } = station;
    const waiting = i === 0 ? Infinity : this.conveyors[i - 1];
    const room = i === 3 ? Infinity : conveyorBottles[i] - this.conveyors[i];
    // A suspended machine waits until a start is worth it, else it would nibble.
    const suspended = unit.state === "suspended";
    const lastBottles = i > 0 && this.stations[i - 1].unit.state === "complete" && waiting > 0;
    unit.step(dtSeconds, {
      starved: waiting < (suspended && !lastBottles ? 60 : 1),
      blocked: room < (suspended ? 60 : 1),
    });
    const target = unit.executing ? machines[i].bottlesPerSecond : 0;
    station.speed = approach(station.speed, target, dtSeconds, unit.executing ? 2 : 0.5);
    if (!unit.executing) return;
    station.fraction += station.speed * dtSeconds;
    const left = i === 0 ? Math.max(0, this.#orderBottles - this.#orderFilled) : Infinity;
    const bottles = Math.min(Math.floor(station.fraction), waiting, room, left);
    station.fraction -= Math.floor(station.fraction);
    if (bottles === 0) return;
    let rejected = 0;
    for (let b = 0; b < bottles; b++) if (this.#random.next() < machines[i].rejectRate) rejected++;
    station.processed += bottles;
    station.rejected += rejected;
    if (i > 0) this.conveyors[i - 1] -= bottles;
    if (i < 3) this.conveyors[i] += bottles - rejected;
    if (i === 0) this.#orderFilled += bottles;
  }

  /** The filler ends the order, the others follow when their conveyor is empty; then all change over together. */
  #changeOver(dtSeconds: number): void {
    for (let i = 0; i < this.stations.length; i++) {
      const { unit } = this.stations[i];
      const done =
        i === 0
          ? this.#orderFilled >= this.#orderBottles
          : this.stations[i - 1].unit.state === "complete" && this.conveyors[i - 1] === 0;
      if (done && (unit.executing || unit.state === "suspended")) unit.complete();
    }
    if (!this.stations.every(({ unit }) => unit.state === "complete")) return;
    if (this.#changeoverSeconds === 0) this.#changeoverSeconds = this.#random.between(180, 480);
    this.#changeoverSeconds -= dtSeconds;
    if (this.#changeoverSeconds > 0) return;
    this.#changeoverSeconds = 0;
    this.#orderPosition++;
    this.#orderFilled = 0;
    this.#orderBottles = Math.round(this.#random.between(9_000, 22_000));
    this.#product = this.#random.pick(products);
    for (const [i, { unit }] of this.stations.entries()) unit.restart(i * 4);
  }

  #signals(table: SignalTable): (dtSeconds: number) => void {
    const onLine = definer(table, line, "Line1");
    const order = onLine.text("Order", "Admin.OrderNumber", this.order);
    const product = onLine.text("Product", "Admin.ProductName", this.#product.name);
    const ordered = onLine.integer("Bottles ordered", "Admin.OrderQuantity", "change", this.#orderBottles);
    const common = machines.map(({ name }, i) => this.#stationSignals(table, name, i));
    const process = [this.#filler(table), this.#capper(table), this.#labeller(table), this.#packer(table)];
    process.push(this.#energyMeter(table));
    return (dtSeconds) => {
      table.set(order, this.order);
      table.set(product, this.#product.name);
      table.set(ordered, this.#orderBottles);
      for (const publish of common) publish();
      for (const publish of process) publish(dtSeconds);
    };
  }

  #stationSignals(table: SignalTable, name: string, i: number): () => void {
    const define = definer(table, [...line, `${name} 1`], `${name}1`);
    const station = this.stations[i];
    const state = define.integer("State", "Status.StateCurrent", "change", packMl[station.unit.state]);
    const text = define.text("State name", "Status.StateName", station.unit.state);
    const reason = define.text("Stop reason", "Status.StopReason", station.unit.reason);
    const alarm = define.integer("Alarm", "Status.AlarmCode", "change", 0);
    const speed = define.number("Speed", "Status.CurMachSpeed", "{bottles}/h", "1Hz", 0);
    const processed = define.integer("Bottles processed", "Admin.ProdProcessedCount", "1HzChange", 0);
    const rejected = define.integer("Bottles rejected", "Admin.ProdDefectiveCount", "1HzChange", 0);
    return () => {
      table.set(state, packMl[station.unit.state]);
      table.set(text, station.unit.state);
      table.set(reason, station.unit.reason);
      table.set(alarm, station.unit.alarm);
      table.set(speed, resolve(station.speed * 3600, 1));
      table.set(processed, station.processed);
      table.set(rejected, station.rejected);
    };
  }

  /** One meter in the line's supply; the standing load is light, compressed air and the conveyors. */
  #energyMeter(table: SignalTable): (dtSeconds: number) => void {
    const define = definer(table, line, "Line1");
    const power = define.number("Active power", "Energy.ActivePower", "kW", "1Hz", 0);
    const energy = define.number("Active energy", "Energy.ActiveEnergy", "kW.h", "1HzChange", 0);
    // Chance of its own: what it measures has no part in what the machines do.
    const noise = new Random(`energy meter ${this.#shift}`);
    let kilowatts = 4;
    let kilowattHours = 0;
    return (dt) => {
      const load = this.stations.reduce((sum, { speed }) => sum + speed, 0);
      kilowatts = approach(kilowatts, 4.2 + 0.62 * load, dt, 4);
      kilowattHours += (kilowatts * dt) / 3600;
      table.set(power, resolve(kilowatts + 0.12 * noise.noise(), 0.01));
      table.set(energy, resolve(kilowattHours, 0.01));
    };
  }

  #filler(table: SignalTable): (dtSeconds: number) => void {
    const define = definer(table, [...line, "Filler 1"], "Filler1");
    const temperature = define.number("Product temperature", "PV.ProductTemperature", "Cel", "1Hz", 6);
    const pressure = define.number("Bowl pressure", "PV.BowlPressure", "kPa", "5Hz", 210);
    const level = define.number("Bowl level", "PV.BowlLevel", "%", "1Hz", 62);
    const station = this.stations[0];
    let celsius = 6;
    let kPa = 210;
    let percent = 62;
    return (dt) => {
      const load = station.speed / machines[0].bottlesPerSecond;
      celsius = approach(celsius, 8.5 - 2.7 * load, dt, 240);
      kPa = approach(kPa, 214 - 9 * load, dt, 3);
      percent = approach(percent, 66 - 8 * load, dt, 15);
      table.set(temperature, resolve(celsius + 0.08 * this.#random.noise(), 0.1));
      table.set(pressure, resolve(kPa + (0.3 + 1.1 * load) * this.#random.noise(), 0.1));
      table.set(level, resolve(percent + (0.1 + 0.7 * load) * this.#random.noise(), 0.1));
    };
  }

  #capper(table: SignalTable): (dtSeconds: number) => void {
    const define = definer(table, [...line, "Capper 1"], "Capper1");
    const torque = define.number("Closing torque", "PV.ClosingTorque", "N.cm", "5Hz", 0);
    const caps = define.number("Cap hopper level", "PV.HopperLevel", "%", "1Hz", 80);
    const station = this.stations[1];
    let hopper = 80;
    return (dt) => {
      hopper -= station.speed * dt * 0.004;
      if (hopper < 22) hopper = 95; // Somebody tips in a box of caps.
      table.set(torque, station.unit.executing ? resolve(182 + 4.5 * this.#random.noise(), 0.1) : 0);
      table.set(caps, resolve(hopper, 0.1));
    };
  }

  #labeller(table: SignalTable): (dtSeconds: number) => void {
    const define = definer(table, [...line, "Labeller 1"], "Labeller1");
    const glue = define.number("Glue temperature", "PV.GlueTemperature", "Cel", "1Hz", 148);
    const present = define.boolean("Label web present", "PV.LabelWebPresent", true);
    const station = this.stations[2];
    let celsius = 148;
    return (dt) => {
      celsius = approach(celsius, station.unit.state === "aborted" ? 120 : 150 - 2 * (station.speed / 11.6), dt, 180);
      table.set(glue, resolve(celsius + 0.12 * this.#random.noise(), 0.1));
      table.set(present, !station.unit.reason.startsWith("Label "));
    };
  }

  #packer(table: SignalTable): (dtSeconds: number) => void {
    const define = definer(table, [...line, "Packer 1"], "Packer1");
    const vacuum = define.number("Gripper vacuum", "PV.GripperVacuum", "kPa", "5Hz", -12);
    const current = define.number("Main drive current", "PV.DriveCurrent", "A", "1Hz", 1.2);
    const cases = define.integer("Cases packed", "Admin.CasesPacked", "1HzChange", 0);
    const station = this.stations[3];
    let cycle = 0;
    return (dt) => {
      cycle = (cycle + station.speed * dt) % 24;
      const gripping = station.unit.executing && cycle < 14;
      table.set(vacuum, resolve((gripping ? -62 : -12) + 1.5 * this.#random.noise(), 0.1));
      table.set(current, resolve(1.2 + 0.55 * station.speed + 0.15 * this.#random.noise(), 0.1));
      table.set(cases, Math.floor((station.processed - station.rejected) / 12));
    };
  }
}

export const bottlingLine: LineKind = {
  connection: "northfield-bottling-1",
  begin: (random, table, shift) => new BottlingLine(random, table, shift),
};
