import type { MachineKind, Product, Telling } from "./machine-kind.ts";

/** The machines of the film line and of the assembly hall; those of the other two lines are models of their own (bottling-line.ts, parts-line.ts). */

const filmLine = ["Northfield", "Film", "Film line 3"];
const assembly = ["Eastgate", "Pumps", "Assembly line 4"];

type Given = Pick<MachineKind, "machine" | "model" | "products" | "orders" | "process"> & Partial<MachineKind>;

function kind(line: readonly string[], name: string, given: Given): MachineKind {
  return {
    equipment: [...line, name],
    telling: { states: "machinery", counters: "sum", sampledSeconds: null },
    unit: "1",
    counts: "units",
    blockedAfterSeconds: null,
    continuous: false,
    orderCycles: 200,
    scrapRate: 0.01,
    reworkRate: 0,
    setUpSeconds: 420,
    microStopEverySeconds: 700,
    microStopSeconds: 20,
    breakdownEverySeconds: 11_000,
    breakdownSeconds: 420,
    slowShare: 0.2,
    breaks: "stands",
    ...given,
  };
}

const product = (material: string, name: string, idealCycleSeconds: number, unitsPerCycle = 1): Product => ({
  material,
  name,
  idealCycleSeconds,
  unitsPerCycle,
  family: [],
});
const told = (states: Telling["states"], counters: Telling["counters"], sampledSeconds: number | null = null) => ({
  states,
  counters,
  sampledSeconds,
});
const measured = (name: string, address: string, unit: string, running: number, standing: number, noise: number) => ({
  name,
  address,
  unit,
  running,
  standing,
  noise,
});

const films = [product("F-PE-040", "PE film 40 µm", 2, 0.25), product("F-PE-080", "PE film 80 µm", 2, 0.5)];
const rolls = [product("R-300", "Roll 300 m", 45), product("R-600", "Roll 600 m", 84)];
const clips = [product("P-CLIP", "Clip", 2.4), product("P-CLIP-L", "Clip, long", 3)];
/** A family mould, which makes a part for two orders in each cycle, and a plain one. */
const housings: Product[] = [
  {
    ...product("P-HOUSING", "Housing, left and right", 28, 4),
    family: [
      { material: "P-HOUSING-L", name: "Housing, left", cavities: 2 },
      { material: "P-HOUSING-R", name: "Housing, right", cavities: 2 },
    ],
  },
  product("P-COVER", "Cover, 8 cavities", 32, 8),
];
const shafts = [product("P-SHAFT", "Shaft", 96), product("P-FLANGE", "Flange", 340)];
const pumps = [product("A-PUMP-1", "Pump 12 V", 38), product("A-PUMP-2", "Pump 24 V", 44)];

export const filmMachines: readonly MachineKind[] = [
  ...[1, 2].map((n) =>
    kind(filmLine, `Extruder ${n}`, {
      machine: `Extruder${n}`,
      model: "extruder",
      products: films,
      orders: `FE${n}`,
      telling: told("machinery", "totalAndScrap", 10),
      unit: "kg",
      continuous: true,
      orderCycles: 4_000,
      scrapRate: 0.008,
      setUpSeconds: 900,
      microStopEverySeconds: 3_600,
      breaks: "runs",
      process: [
        measured("Melt temperature", "MeltTemperature", "Cel", 214, 188, 0.6),
        measured("Melt pressure", "MeltPressure", "bar", 182, 4, 1.4),
        measured("Screw speed", "ScrewSpeed", "{rev}/min", 84, 0, 0.3),
      ],
    }),
  ),
  kind(filmLine, "Printer 1", {
    machine: "Printer1",
    model: "film-machine",
    products: films.map((each) => ({ ...each, idealCycleSeconds: 1.5 })),
    orders: "FP",
    telling: told("packml", "totalAndScrap", 10),
    unit: "kg",
    continuous: true,
    orderCycles: 3_000,
    process: [
      measured("Web speed", "WebSpeed", "m/min", 120, 0, 0.8),
      measured("Web tension", "WebTension", "N", 210, 20, 3),
    ],
  }),
  kind(filmLine, "Laminator 1", {
    machine: "Laminator1",
    model: "film-machine",
    products: films.map((each) => ({ ...each, idealCycleSeconds: 1.2 })),
    orders: "FL",
    telling: told("packml", "totalAndScrap", 10),
    unit: "kg",
    continuous: true,
    orderCycles: 3_600,
    process: [
      measured("Web speed", "WebSpeed", "m/min", 150, 0, 0.9),
      measured("Web tension", "WebTension", "N", 180, 20, 3),
    ],
  }),
  kind(filmLine, "Slitter 1", {
    machine: "Slitter1",
    model: "roll-machine",
    products: rolls,
    orders: "FS",
    telling: told("packml", "totalAndScrap"),
    orderCycles: 70,
    scrapRate: 0.02,
    process: [measured("Drive current", "DriveCurrent", "A", 34, 2, 0.7)],
  }),
  kind(filmLine, "Palletiser 1", {
    machine: "Palletiser1",
    model: "roll-machine",
    products: rolls.map((each) => ({ ...each, idealCycleSeconds: each.idealCycleSeconds / 2 })),
    orders: "FZ",
    telling: told("packml", "totalAndScrap"),
    orderCycles: 120,
    scrapRate: 0.001,
    setUpSeconds: 120,
    process: [measured("Drive current", "DriveCurrent", "A", 18, 1, 0.4)],
  }),
];

export const assemblyMachines: readonly MachineKind[] = [
  ...[2, 3].map((n) =>
    kind(assembly, `Press ${n}`, {
      machine: `Press${n}`,
      model: "pulse-press",
      products: clips,
      orders: `CP${n}`,
      telling: told("pulses", "sum"),
      orderCycles: 2_200,
      scrapRate: 0.006,
      microStopEverySeconds: 500,
      process: [],
    }),
  ),
  kind(assembly, "Moulding machine 2", {
    machine: "IMM2",
    model: "family-mould-machine",
    products: housings,
    orders: "CI",
    telling: told("code", "totalAndScrap"),
    counts: "cycles",
    blockedAfterSeconds: 5_400,
    orderCycles: 260,
    setUpSeconds: 1_500,
    breaks: "runs",
    process: [
      measured("Melt temperature", "MeltTemperature", "Cel", 231, 224, 0.3),
      measured("Mould temperature", "MouldTemperature", "Cel", 61, 49, 0.4),
    ],
  }),
  ...[2, 3].map((n) =>
    kind(assembly, `Machining centre ${n}`, {
      machine: `MC${n}`,
      model: "cutting-machine",
      products: shafts,
      orders: `CM${n}`,
      orderCycles: 40,
      scrapRate: 0.015,
      reworkRate: 0.02,
      setUpSeconds: 1_200,
      microStopEverySeconds: 2_400,
      process: [
        measured("Spindle load", "SpindleLoad", "%", 52, 2, 3),
        measured("Coolant temperature", "CoolantTemperature", "Cel", 27, 21, 0.1),
      ],
    }),
  ),
  kind(assembly, "Lathe 1", {
    machine: "Lathe1",
    model: "cutting-machine",
    products: [product("P-PIN", "Pin", 24), product("P-BUSH", "Bush", 41)],
    orders: "CL",
    orderCycles: 240,
    scrapRate: 0.012,
    reworkRate: 0.01,
    process: [
      measured("Spindle load", "SpindleLoad", "%", 44, 2, 3),
      measured("Coolant temperature", "CoolantTemperature", "Cel", 26, 21, 0.1),
    ],
  }),
  kind(assembly, "Welding cell 1", {
    machine: "Weld1",
    model: "welding-cell",
    products: [product("P-FRAME", "Frame", 62)],
    orders: "CW",
    orderCycles: 110,
    scrapRate: 0.01,
    reworkRate: 0.03,
    process: [measured("Welding current", "WeldingCurrent", "A", 186, 0, 4)],
  }),
  ...[1, 2].map((n) =>
    kind(assembly, `Assembly ${n}`, {
      machine: `Assembly${n}`,
      model: "assembly-cell",
      products: pumps,
      orders: `CA${n}`,
      orderCycles: 160,
      scrapRate: 0.006,
      reworkRate: 0.02,
      setUpSeconds: 240,
      slowShare: 0.35,
      process: [measured("Screwdriver torque", "ScrewTorque", "N.m", 2.4, 0, 0.05)],
    }),
  ),
  kind(assembly, "Test stand 1", {
    machine: "Test1",
    model: "test-stand",
    products: pumps.map((each) => ({ ...each, idealCycleSeconds: each.idealCycleSeconds / 2 })),
    orders: "CT",
    telling: told("machinery", "totalAndGood"),
    orderCycles: 300,
    scrapRate: 0.008,
    reworkRate: 0.015,
    setUpSeconds: 180,
    process: [measured("Test pressure", "TestPressure", "bar", 6.1, 0, 0.04)],
  }),
  kind(assembly, "Packing 1", {
    machine: "Packing1",
    model: "packing-machine",
    products: pumps.map((each) => ({ ...each, idealCycleSeconds: each.idealCycleSeconds / 2.2 })),
    orders: "CK",
    telling: told("packml", "totalAndScrap", 5),
    orderCycles: 320,
    scrapRate: 0.001,
    setUpSeconds: 120,
    process: [measured("Film temperature", "FilmTemperature", "Cel", 132, 96, 0.5)],
  }),
];
