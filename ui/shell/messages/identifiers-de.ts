import type { identifiersEn } from "./identifiers-en.ts";

export const identifiersDe: Record<keyof typeof identifiersEn, string> = {
  "kind.identifierRule": "Kennungsregeln",
  "kind.lookUp": "Zuordnungstabellen",
  "identifier.findings": "{n} {n|Wert|Werte}, die niemand kennt",
  "identifier.findingsHint":
    "Maschinen haben sie gesagt, und sie zählen als nichts, bis jemand sagt, wofür sie stehen: eine Zeile der Tabelle oder der Auftrag, der fehlt. Dann wird auch die Vergangenheit richtig.",
  "identifier.code.lookUpMissing": "keine Zeile der Tabelle",
  "identifier.code.orderUnknown": "es gibt keinen solchen Auftrag",
  "identifier.code.operationUnknown": "der Auftrag hat keinen solchen Arbeitsgang",
  "identifier.code.materialUnknown": "niemand hat dieses Material beschrieben; es zählt trotzdem",
  "identifier.code.toolUnknown": "es gibt kein solches Werkzeug",
  "identifier.times": "{n} {n|Mal|Mal} gesagt",
  "identifier.last": "zuletzt {time}",
  "identifier.told": "von der Maschine gesagt",
};
