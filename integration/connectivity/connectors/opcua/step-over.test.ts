import { expect, test } from "vitest";
import { endOfVariant } from "./step-over.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/[^0-9a-f]/g, ""), "hex");

/** Variants as Part 6, 5.2 writes them. */
const variants: [name: string, hex: string][] = [
  ["null", "00"],
  ["Boolean", "01 01"],
  ["Byte", "03 ff"],
  ["Int16", "04 0100"],
  ["Int32", "06 01000000"],
  ["Int64", "08 0100000000000000"],
  ["Double", "0b 0000000000000000"],
  ["String", "0c 02000000 6869"],
  ["null String", "0c ffffffff"],
  ["DateTime", "0d 0000000000000000"],
  ["Guid", "0e 00000000000000000000000000000000"],
  ["ByteString", "0f 03000000 000102"],
  ["NodeId in two bytes", "11 00 55"],
  ["NodeId in four bytes", "11 01 02 0700"],
  ["NodeId, numeric", "11 02 0100 07000000"],
  ["NodeId, text", "11 03 0100 01000000 61"],
  ["NodeId, Guid", "11 04 0100 00000000000000000000000000000000"],
  ["NodeId, opaque", "11 05 0100 02000000 0102"],
  ["ExpandedNodeId with namespace and server", "12 c3 0100 01000000 61 01000000 62 05000000"],
  ["StatusCode", "13 00003480"],
  ["QualifiedName", "14 0100 01000000 61"],
  ["LocalizedText with both", "15 03 02000000 6465 02000000 6a61"],
  ["LocalizedText with nothing", "15 00"],
  ["ExtensionObject without body", "16 0000 00"],
  ["ExtensionObject with bytes", "16 01 02 0700 01 03000000 010203"],
  ["DataValue with everything", "17 3f 0601000000 00000080 0000000000000000 0100 0000000000000000 0100"],
  ["DataValue with nothing", "17 00"],
  ["Variant in a Variant", "18 18 01 01"],
  ["DiagnosticInfo with an inner one", "19 7f 00000000 00000000 00000000 00000000 01000000 61 00003480 01 00000000"],
  ["array of Int32", "86 02000000 01000000 02000000"],
  ["null array", "86 ffffffff"],
  ["empty array of String", "8c 00000000"],
  ["array of String", "8c 02000000 01000000 61 ffffffff"],
  ["array of Variant", "98 02000000 01 01 0c 01000000 61"],
  ["array of DataValue", "97 02000000 01 01 01 02 00003480"],
  ["matrix of Byte", "c3 04000000 01020304 02000000 02000000 02000000"],
  ["matrix of String", "cc 02000000 ffffffff ffffffff 02000000 01000000 02000000"],
];

test.each(variants)("steps over %s", (_, hex) => {
  const value = bytes(hex);
  const among = Buffer.concat([bytes("aaaa"), value, bytes("bbbb")]);
  expect(endOfVariant(among, 2)).toBe(2 + value.length);
});

test.each(variants)("%s that is cut off has no end", (_, hex) => {
  const value = bytes(hex);
  for (let length = 0; length < value.length; length++)
    expect(() => endOfVariant(value.subarray(0, length), 0), `${length} bytes`).toThrow(RangeError);
});

test.each([
  ["a type that does not exist", "1f 00"],
  ["a kind of NodeId that does not exist", "11 09 0000"],
  ["10⁹ values that are not there", "8b 00ca9a3b"],
  ["a text of 2 GB", "0c ffffff7f"],
])("%s has no end", (_, hex) => {
  expect(() => endOfVariant(bytes(hex), 0)).toThrow(RangeError);
});
