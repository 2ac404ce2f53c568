/** German words for the fields of connectors' forms: names of fields, and descriptions by their English text. What is missing stays English. */
export const labelsDe: Readonly<Record<string, string>> = {
  host: "Host",
  port: "Port",
  unitId: "Unit-Id",
};

export const descriptionsDe: Readonly<Record<string, string>> = {};
