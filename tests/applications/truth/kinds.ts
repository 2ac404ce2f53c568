import { assemblyMachines, filmMachines, type MachineKind } from "@lineshaft/simulation/plant";

/** How much slower the fast ones are: what they tell is most of the work. */
const slower: Record<string, number> = { Press2: 8, Extruder1: 12 };
/** How many seconds lie between two readings of a counter that is sampled: several pieces. */
const sampledSeconds = 60;

/** One of each way to tell, and of each way to count. */
export const kinds: readonly MachineKind[] = [
  "Press2",
  "IMM2",
  "MC2",
  "Assembly1",
  "Test1",
  "Packing1",
  "Slitter1",
  "Extruder1",
].map((name) => {
  const kind = [...assemblyMachines, ...filmMachines].find(({ machine }) => machine === name) as MachineKind;
  const times = slower[name] ?? 1;
  const products = kind.products.map((product) => ({
    ...product,
    idealCycleSeconds: times * product.idealCycleSeconds,
    unitsPerCycle: kind.continuous ? times * product.unitsPerCycle : product.unitsPerCycle,
  }));
  const telling = kind.telling.sampledSeconds === null ? kind.telling : { ...kind.telling, sampledSeconds };
  return { ...kind, products, telling, orderCycles: kind.orderCycles / times };
});
