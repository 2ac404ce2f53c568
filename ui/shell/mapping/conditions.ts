import { type Configuration, type Micros, type Property, parseTimeUs } from "@lineshaft/contract/api";

/** Conditions over several properties, as far as they can be read without asking them: that is the server's. */

/** The properties of a model that conditions name, in the model's order. */
export function namedBy({ conditions = [] }: Property, properties: readonly Property[]): Property[] {
  // What stands in quotes is a text, and no name.
  const words = conditions.flatMap(({ when }) => when.replaceAll(/"[^"]*"|'[^']*'/g, " ").match(/[A-Za-z]\w*/g) ?? []);
  const named = new Set(words);
  return properties.filter(({ name }) => named.has(name));
}

/** Where the tag of a property stands at a time: its connection and address; null: nothing is bound then. */
export function boundTo(
  configuration: Configuration,
  path: string,
  property: string,
  at: Micros,
): { connection: string; address: string } | null {
  for (const { name: connection, tags = [] } of configuration.connections ?? [])
    for (const { address, equipment, bind = [] } of tags)
      for (const binding of bind) {
        const from = binding.validFrom === undefined ? null : parseTimeUs(binding.validFrom);
        const to = binding.validTo === undefined ? null : parseTimeUs(binding.validTo);
        const holds = (from === null || from <= at) && (to === null || at < to);
        if (holds && binding.property === property && (binding.equipment ?? equipment) === path)
          return { connection, address };
      }
  return null;
}
