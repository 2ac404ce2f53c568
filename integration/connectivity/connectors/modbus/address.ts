/** The tables of a Modbus device, by the function code that reads them. */
export const functionOf = { coil: 1, discrete: 2, holding: 3, input: 4 } as const;
export type Table = keyof typeof functionOf;
export const tables = Object.keys(functionOf) as Table[];

/** Registers of each data type; text has as many as its address says. */
export const registersOf = {
  bool: 1,
  int16: 1,
  uint16: 1,
  bcd16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  bcd32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
} as const;
export type DataType = keyof typeof registersOf | "string";
export const dataTypes: readonly DataType[] = [...(Object.keys(registersOf) as (keyof typeof registersOf)[]), "string"];

/** How the bytes of a value lie in its registers: A is the most significant. 64-bit values follow the same pattern. */
export const wordOrders = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type WordOrder = (typeof wordOrders)[number];

/** Where 40001 and its like begin to count. */
export type Addressing = "oneBased" | "zeroBased";

/** One value of a device, ready to be read. */
export interface Target {
  unit: number;
  table: Table;
  /** Protocol address, 0–65535, as it travels on the wire. */
  start: number;
  /** Registers, or 1 for a coil or discrete input. */
  count: number;
  type: DataType;
  wordOrder: WordOrder;
  /** 0 (least significant) to 15: one bit of a register. */
  bit: number | null;
}

/** What an address leaves open, from the options of the tag and the configuration of the connection. */
export interface Defaults {
  addressing: Addressing;
  unit: number;
  wordOrder: WordOrder;
  dataType?: DataType;
  /** Registers of a text. */
  length?: number;
  bit?: number;
}

/** An address that cannot be meant; the message says how to write it. */
export class AddressError extends Error {
  override name = "AddressError";
}

// [unit/] (table:number | 5 or 6 digits) [.bit] [:type[(registers)]] [:order]
const grammar =
  /^(?:(\d{1,3})\/)?(?:(coil|discrete|holding|input):(\d{1,5})|(\d{5,6}))(?:\.(\d{1,2}))?(?::([a-z]+\d*)(?:\((\d{1,3})\))?)?(?::([A-D]{4}))?$/;
const traditional: Record<string, Table> = { 0: "coil", 1: "discrete", 3: "input", 4: "holding" };
const addresses = 65536;
/** A read carries at most 125 registers (Modbus Application Protocol V1.1b3, 6.3), and one value stays in one read. */
const longestText = 125;

/**
 * Address to target. `holding:100` counts as the protocol does, from 0; the traditional `40101` and `400101` count from 1, or from 0 where the
 * connection says `addressing: zeroBased`. What stands in the address wins over the defaults.
 */
export function parseAddress(address: string, defaults: Defaults): Target {
  const match = grammar.exec(address);
  if (match === null) {
    throw new AddressError(
      `"${address}" is no Modbus address; write e.g. holding:100, input:30:float32:CDAB, coil:5, holding:7.3, 3/40001 or holding:10:string(8).`,
    );
  }
  const [, unitText, name, offset, digits, bitText, typeText, lengthText, orderText] = match;
  const { table, start } = name ? { table: name as Table, start: Number(offset) } : reference(digits, defaults);
  const unit = unitText === undefined ? defaults.unit : Number(unitText);
  if (unit > 255) throw new AddressError(`"${address}": unit ids go from 0 to 255.`);
  if (typeText !== undefined && !dataTypes.includes(typeText as DataType))
    throw new AddressError(`"${address}": "${typeText}" is no data type; these are: ${dataTypes.join(", ")}.`);
  if (orderText !== undefined && !wordOrders.includes(orderText as WordOrder))
    throw new AddressError(`"${address}": "${orderText}" is no word order; these are: ${wordOrders.join(", ")}.`);
  const bit = bitText === undefined ? (defaults.bit ?? null) : Number(bitText);
  const isBits = table === "coil" || table === "discrete";
  const open = isBits || bit !== null ? "bool" : "uint16";
  const type = (typeText as DataType | undefined) ?? defaults.dataType ?? open;
  if (isBits && (type !== "bool" || bit !== null))
    throw new AddressError(`"${address}": a ${table} is one bit; it has no other data type and no bit number.`);
  if (bit !== null && (bit > 15 || type !== "bool"))
    throw new AddressError(`"${address}": a bit of a register is .0 to .15, and its data type is bool.`);
  const wordOrder = (orderText as WordOrder | undefined) ?? defaults.wordOrder;
  const length = lengthText === undefined ? defaults.length : Number(lengthText);
  if (lengthText !== undefined && type !== "string")
    throw new AddressError(`"${address}": only string(n) has a length.`);
  if (type === "string" && !(length !== undefined && length >= 1 && length <= longestText))
    throw new AddressError(`"${address}": a text needs its registers, 1 to ${longestText}: string(8).`);
  const count = type === "string" ? length! : registersOf[type];
  if (start < 0 || start + count > addresses)
    throw new AddressError(`"${address}" ends behind the last address of a table, ${addresses - 1}.`);
  return { unit, table, start, count, type, wordOrder, bit };
}

function reference(digits: string, { addressing }: Defaults): { table: Table; start: number } {
  const table = traditional[digits[0]];
  if (table === undefined)
    throw new AddressError(`"${digits}" begins with none of 0 (coil), 1 (discrete input), 3 (input) and 4 (holding).`);
  const start = Number(digits.slice(1)) - (addressing === "oneBased" ? 1 : 0);
  if (start < 0) throw new AddressError(`"${digits}": the first address is ${digits[0]}0001 (addressing: oneBased).`);
  return { table, start };
}

/** The canonical spelling of a target: parses back to the same whatever the defaults. */
export function formatAddress({ unit, table, start, count, type, wordOrder, bit }: Target): string {
  const at = `${unit}/${table}:${start}`;
  if (table === "coil" || table === "discrete") return at;
  return `${at}${bit === null ? "" : `.${bit}`}:${type}${type === "string" ? `(${count})` : ""}:${wordOrder}`;
}

/** A range of addresses such as `holding:50-59` or `3/input:7`; without a unit it stands for all units. */
export interface AddressRange {
  unit: number | null;
  table: Table;
  from: number;
  to: number;
}

export function parseRange(text: string): AddressRange {
  const match = /^(?:(\d{1,3})\/)?(coil|discrete|holding|input):(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(match?.[3]);
  const to = Number(match?.[4] ?? match?.[3]);
  const unit = match?.[1] === undefined ? null : Number(match[1]);
  if (match === null || to < from || to >= addresses || (unit ?? 0) > 255)
    throw new AddressError(`"${text}" is no range of addresses; write e.g. holding:50-59 or 3/input:7.`);
  return { unit, table: match[2] as Table, from, to };
}
