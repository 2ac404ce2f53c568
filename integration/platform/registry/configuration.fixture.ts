import type { Configuration, Principal } from "@lineshaft/contract/api";
import { FakeClock } from "@lineshaft/testkit";
import { openRegistry } from "./index.ts";

// A process to be killed: it applies one configuration after the other and says each that it was told has been saved.
const admin: Principal = { id: "admin", kind: "system", name: "admin", tenant: 1, role: "admin", scopes: [""] };

export function plantOf(round: number): Configuration {
  const equipment = Array.from({ length: 20 }, (_, i) => ({ path: `S${i}`, level: "site" as const }));
  const tags = equipment.map(({ path }) => ({ address: path, name: `round ${round}`, equipment: path }));
  const lifecycle = round % 2 === 0 ? ("test" as const) : ("productive" as const);
  return {
    version: 1,
    equipment: equipment.map((entry) => ({ ...entry, lifecycle })),
    connections: [{ name: "plc", kind: "opcua", config: { round }, tags }],
  };
}

if (import.meta.main) {
  const registry = openRegistry({ path: process.argv[2], clock: new FakeClock() });
  for (let round = Number(process.argv[3]); ; round++) {
    const { revision } = registry.configuration(admin);
    await registry.applyConfiguration(admin, plantOf(round), revision, () => 1);
    process.stdout.write(`${round}\n`);
  }
}
