import { assemblyMachines, filmMachines } from "./machines.ts";
import type { Signal } from "./signal.ts";

/** The ways from this plant to a platform. */
export const protocols = ["http", "mqtt", "sparkplug", "opcua", "modbus"] as const;
export type Protocol = (typeof protocols)[number];

/** Which machine speaks what. A machine whose own protocol is off is read by the line's HTTP gateway, if that is on. */
export interface Wire {
  /** The part of its addresses before the first point. */
  machine: string;
  /** `LineKind.connection` of its line. */
  line: string;
  protocol: Protocol;
}

const bottling = "northfield-bottling-1";
const parts = "eastgate-parts-2";
const film = "northfield-film-3";
const assembly = "eastgate-assembly-4";

export const wiring: readonly Wire[] = [
  { machine: "Line1", line: bottling, protocol: "http" },
  { machine: "Filler1", line: bottling, protocol: "sparkplug" },
  { machine: "Capper1", line: bottling, protocol: "sparkplug" },
  { machine: "Labeller1", line: bottling, protocol: "sparkplug" },
  { machine: "Packer1", line: bottling, protocol: "opcua" },
  { machine: "Press1", line: parts, protocol: "modbus" },
  { machine: "MC1", line: parts, protocol: "opcua" },
  { machine: "IMM1", line: parts, protocol: "mqtt" },
  ...filmMachines.map(({ machine }) => ({ machine, line: film, protocol: "http" as const })),
  ...assemblyMachines.map(({ machine }) => ({ machine, line: assembly, protocol: "http" as const })),
];

/** The edge node of the bottling line; its devices are the machines that speak Sparkplug. */
export const edgeNode = { group: "Northfield", name: "Bottling-1" } as const;

/** Where the parts line's MQTT gateway publishes; below it come the machine and then the signal. */
export const mqttPrefix = "eastgate/parts-2";

/** The variable whose past the OPC UA server keeps (HistoryRead). */
export const historizedAddress = "Packer1.PV.GripperVacuum";

/** One value in the press's registers. 32-bit values lie in two registers, the low word first (CDAB). */
export interface RegisterEntry {
  address: number;
  /** What it shows: a count of rising edges, the growth of a counter, or a value as it is. */
  source: { of: "edges" | "growth" | "value"; signal: string };
  type: "uint16" | "int32" | "float32";
}

/** The press is an old machine with a pulse counter box: no names, no times, no quality, and counters that roll over at 65,536. */
export const pressRegisters = {
  unit: 1,
  /** Coil and discrete input 0. */
  running: { address: 0, signal: "Press1.State", state: 6 },
  /** What both pulse counters show when the box was delivered: so that the first roll-over comes within minutes. */
  deliveredCount: 65_000,
  holding: [
    { address: 0, source: { of: "edges", signal: "Press1.StrokePulse" }, type: "uint16" },
    { address: 1, source: { of: "growth", signal: "Press1.RejectCount" }, type: "uint16" },
    { address: 10, source: { of: "edges", signal: "Press1.StrokePulse" }, type: "int32" },
    { address: 12, source: { of: "value", signal: "Press1.HydraulicPressure" }, type: "float32" },
    { address: 14, source: { of: "value", signal: "Press1.OilTemperature" }, type: "float32" },
    { address: 16, source: { of: "value", signal: "Press1.PeakForce" }, type: "float32" },
    { address: 18, source: { of: "value", signal: "Press1.State" }, type: "uint16" },
    { address: 19, source: { of: "value", signal: "Press1.AlarmCode" }, type: "uint16" },
  ] as readonly RegisterEntry[],
} as const;

export function machineOf(signal: Pick<Signal, "address">): string {
  return signal.address.slice(0, signal.address.indexOf("."));
}

/** What a machine speaks when only `enabled` are on; null: nobody hears it. */
export function spokenBy(wire: Wire, enabled: ReadonlySet<Protocol>): Protocol | null {
  if (enabled.has(wire.protocol)) return wire.protocol;
  return enabled.has("http") ? "http" : null;
}

/** The machines that speak `protocol`, by the connection of their line. */
export function machinesOn(protocol: Protocol, enabled: ReadonlySet<Protocol>): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const wire of wiring) {
    if (spokenBy(wire, enabled) !== protocol) continue;
    const machines = lines.get(wire.line) ?? [];
    machines.push(wire.machine);
    lines.set(wire.line, machines);
  }
  return lines;
}
