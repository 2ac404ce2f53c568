import type { TagBinding } from "@lineshaft/contract/ports";
import { Value } from "typebox/value";
import { AddressError, parseAddress, type Target } from "./address.ts";
import { type ModbusConfig, type ModbusTagOptions, tagOptionsSchema } from "./config.ts";
import type { PulseOptions } from "./pulse.ts";
import type { RowRule } from "./rows.ts";

/** A binding that can be read. */
export interface BoundTag {
  target: Target;
  periodMs: number;
  rule: RowRule;
}

export interface Bound {
  /** Each address once, in the order of the bindings. */
  names: string[];
  tags: BoundTag[];
  /** Addresses that cannot be read as they stand, by index into `names`, and why. */
  unusable: { name: number; why: string }[];
}

const shortestPeriodMs = 10;

/** Bindings to targets; what is wrong with one does not touch the others. The first binding of an address counts. */
export function bind(bindings: readonly TagBinding[], config: ModbusConfig): Bound {
  const index = new Map<string, number>();
  const bound: Bound = { names: [], tags: [], unusable: [] };
  for (const binding of bindings) {
    if (index.has(binding.address)) continue;
    const name = bound.names.push(binding.address) - 1;
    index.set(binding.address, name);
    try {
      bound.tags.push(bindOne(binding, name, config));
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      bound.unusable.push({ name, why: error.message });
    }
  }
  return bound;
}

function bindOne(binding: TagBinding, name: number, config: ModbusConfig): BoundTag {
  const { address } = binding;
  const options = Value.Default(tagOptionsSchema, structuredClone(binding.options ?? {})) as ModbusTagOptions;
  const [error] = Value.Errors(tagOptionsSchema, options);
  if (error !== undefined)
    throw new AddressError(`"${address}": its options do not pass: ${error.instancePath} ${error.message}`);
  const target = parseAddress(address, {
    addressing: config.addressing,
    unit: options.unitId ?? config.unitId,
    wordOrder: options.wordOrder ?? config.wordOrder,
    dataType: options.dataType,
    length: options.length,
    bit: options.bit,
  });
  const count = (options.count ?? null) as PulseOptions | null;
  if (count !== null && target.type !== "bool")
    throw new AddressError(`"${address}": only edges of a bit are counted; this is a ${target.type}.`);
  const periodMs = Math.max(shortestPeriodMs, binding.class?.samplingMs ?? config.periodMs);
  const always = (options.report ?? config.report) === "always";
  // Half a period early, so that a heartbeat falls on the poll at its time and not on the next.
  const heartbeatMs = always ? 0 : Math.max(1, config.heartbeatMs - periodMs / 2);
  return { target, periodMs, rule: { name, heartbeatMs, count } };
}
