/** Machines that tell their order, material or tool themselves. */
export const identifiersEn = {
  "kind.identifierRule": "Identifier rules",
  "kind.lookUp": "Look-ups",
  "identifier.findings": "{n} {n|value|values} nobody knows",
  "identifier.findingsHint":
    "Machines told these, and they count as nothing until somebody says what they stand for: a row of the look-up, or the order that is missing. Then the past becomes right too.",
  "identifier.code.lookUpMissing": "no row of the look-up",
  "identifier.code.orderUnknown": "there is no such order",
  "identifier.code.operationUnknown": "the order has no such operation",
  "identifier.code.materialUnknown": "nobody has described this material; it counts all the same",
  "identifier.code.toolUnknown": "there is no such tool",
  "identifier.times": "told {n} {n|time|times}",
  "identifier.last": "last {time}",
  "identifier.told": "told by the machine",
} as const;
