import { ProblemError } from "@lineshaft/contract/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertCleanTexts, parseJson } from "./json.ts";

const parse = (text: string | Uint8Array): unknown =>
  parseJson(typeof text === "string" ? Buffer.from(text) : text).value;
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
  return "none";
};
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const b = String.raw;

describe("JSON from outside", () => {
  const refused: [string, string | Uint8Array, string][] = [
    ["nothing", "", "json_invalid"],
    ["white space", "  \n", "json_invalid"],
    ["a truncated object", '{"a":', "json_invalid"],
    ["a truncated text", '{"a":"b', "json_invalid"],
    ["a truncated escape", '"\\', "json_invalid"],
    ["two values", "1 2", "json_invalid"],
    ["a trailing comma", "[1,]", "json_invalid"],
    ["NaN as a token", "[NaN]", "json_invalid"],
    ["a lone minus", "-", "json_invalid"],
    ["digits without end that are no number", `${"1".repeat(400)}x`, "json_invalid"],
    ["A16: 33 levels", nested(33), "json_too_deep"],
    ["A16: a million levels", "[".repeat(1_000_000), "json_too_deep"],
    ["A16: a million levels of objects", '{"a":'.repeat(1_000_000), "json_too_deep"],
    ["A17: a key twice", '{"tenant":1,"tenant":2}', "json_duplicate_key"],
    ["A17: a key twice in the depth", '[{"a":{"b":1,"c":2,"b":3}}]', "json_duplicate_key"],
    ["A17: a key twice, once escaped", b`{"a":1,"\u0061":2}`, "json_duplicate_key"],
    ["A17: an empty key twice", '{"":1,"":2}', "json_duplicate_key"],
    [
      "A17: a key twice among many",
      `{${Array.from({ length: 40 }, (_, i) => `"k${i}":1`).join(",")},"k7":2}`,
      "json_duplicate_key",
    ],
    [
      "A17: a key twice among many of one hash",
      `{${Array.from({ length: 64 }, (_, i) => `"${sameHash(i)}":1`).join(",")},"${sameHash(40)}":2}`,
      "json_duplicate_key",
    ],
    ["A17: invalid UTF-8", Uint8Array.from([0x22, 0xc3, 0x28, 0x22]), "json_encoding"],
    ["A17: overlong UTF-8", Uint8Array.from([0x22, 0xc0, 0xaf, 0x22]), "json_encoding"],
    ["A17: a surrogate in UTF-8", Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22]), "json_encoding"],
    ["A17: NUL", '{"a":"\0"}', "json_encoding"],
    ["A29: __proto__", '{"__proto__":{"admin":true}}', "reserved_key"],
    ["A29: __proto__, escaped", b`{"\u005f_proto__":{"admin":true}}`, "reserved_key"],
    ["A29: constructor.prototype", '{"constructor":{"prototype":{"admin":true}}}', "reserved_key"],
    ["A29: prototype in the depth", '{"a":[{"b":{"prototype":1}}]}', "reserved_key"],
  ];
  it.each(refused)("refuses %s", (_, text, code) => {
    expect(codeOf(() => parse(text))).toBe(code);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  const taken: [string, string, unknown][] = [
    ["32 levels", nested(32), JSON.parse(nested(32))],
    [
      "many keys of one hash",
      `{${Array.from({ length: 64 }, (_, i) => `"${sameHash(i)}":${i}`).join(",")}}`,
      Object.fromEntries(Array.from({ length: 64 }, (_, i) => [sameHash(i), i])),
    ],
    ["the same key in neighbours", '[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ["the same key above and below", '{"a":{"a":{"a":1}},"b":2}', { a: { a: { a: 1 } }, b: 2 }],
    ["a key equal to a value", '{"a":"b","b":"a"}', { a: "b", b: "a" }],
    ["reserved words as values", '["__proto__","constructor"]', ["__proto__", "constructor"]],
    ["brackets and quotes in text", b`{"a":"}]\"[{,:","b":"\\"}`, { a: '}]"[{,:', b: "\\" }],
    ["a byte order mark", '\ufeff{"a":1}', { a: 1 }],
    ["2^53 − 1 as a number", "[9007199254740991,-9007199254740991]", [9007199254740991, -9007199254740991]],
    ["A39: 2^53 exactly", "[9007199254740992]", [{ int64: "9007199254740992" }]],
    ["A39: −2^53 − 1", '{"a":-9007199254740993}', { a: { int64: "-9007199254740993" } }],
    ["A39: digits in text stay text", '["9007199254740993"]', ["9007199254740993"]],
    ["A39: a decimal with many digits stays a double", "[0.12345678901234567890]", [0.12345678901234568]],
    ["A39: 1e999 overflows visibly", "[1e999,-1e999]", [Infinity, -Infinity]],
    ["A39: −0", "[-0,-0.0]", [-0, -0]],
  ];
  it.each(taken)("reads %s", (_, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it("finds what escapes hide in texts and keys", () => {
    for (const text of [b`["\u0000"]`, b`{"a\u0000":1}`, b`["\ud800"]`, b`{"a":{"b":["\udc00x"]}}`]) {
      const { value, escapes } = parseJson(Buffer.from(text));
      expect(escapes).toBe(true);
      expect(codeOf(() => assertCleanTexts(value))).toBe("json_encoding");
    }
    expect(() => assertCleanTexts(parse(b`["\ud83c\udfed","ä"]`))).not.toThrow();
  });

  it("fuzz: reads exactly what JSON.parse reads", () => {
    const value = fc.json({ maxDepth: 8, noUnicodeString: false } as fc.JsonSharedConstraints);
    fc.assert(
      fc.property(value, (text) => {
        const code = codeOf(() => parse(text));
        if (code === "none") expect(parse(text)).toEqual(exact(text));
        else expect(["json_duplicate_key", "reserved_key", "json_encoding"]).toContain(code);
      }),
      { numRuns: 200 },
    );
  });

  it("fuzz: throws nothing but its own errors on any bytes, and ends", () => {
    const soup = fc.array(
      fc.constantFrom(
        "{",
        "}",
        "[",
        "]",
        '"',
        ",",
        ":",
        "\\",
        "\\u",
        "0",
        "-",
        "12345678901234567890",
        "e",
        ".",
        "a",
        "tag",
        " ",
        "\n",
        "\u00e9",
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          soup.map((parts) => Buffer.from(parts.join(""))),
          fc.uint8Array({ maxLength: 200 }),
        ),
        (bytes) => {
          codeOf(() => parseJson(bytes));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** An independent reading: the reviver sees each number's own digits. */
function exact(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === "number" && source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(value)
      ? { int64: source }
      : value;
  });
}

/** "Aa" and "BB" have the same hash; so have all texts of so many of them. */
function sameHash(n: number): string {
  return Array.from({ length: 6 }, (_, bit) => ((n >> bit) & 1 ? "Aa" : "BB")).join("");
}
