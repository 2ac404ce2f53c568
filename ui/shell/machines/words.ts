import { getLocale } from "../i18n.ts";
import { descriptionsDe, labelsDe } from "../messages/fields-de.ts";
import { labelOf, type Schema } from "./schema.ts";

/** A field's name for people. What has no German word yet keeps its own. */
export function fieldLabel(name: string): { text: string; unit: string | null } {
  const label = labelOf(name);
  return getLocale() === "de" && name in labelsDe ? { ...label, text: labelsDe[name] } : label;
}

/** What the connector says about the field. */
export function fieldHint({ description = "" }: Schema): string {
  return getLocale() === "de" ? (descriptionsDe[description] ?? description) : description;
}
