import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeRequest, type Frame, FrameReader, FramingError, judgeReply, longestFrame } from "./codec.ts";
import { exceptionName, exceptions, statusOfException } from "./status.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const request = { transaction: 0x1501, unit: 17, function: 3, start: 107, count: 3 };

function frames(chunks: Uint8Array[]): Frame[] {
  const found: Frame[] = [];
  const reader = new FrameReader();
  for (const chunk of chunks) reader.push(chunk, (frame) => found.push({ ...frame, pdu: frame.pdu.slice() }));
  return found;
}

it("writes requests as the standard shows them (V1.1b3, 6.3)", () => {
  expect(encodeRequest(request)).toEqual(hex("1501 0000 0006 11 03 006b 0003"));
  expect(encodeRequest({ transaction: 65535, unit: 255, function: 1, start: 65535, count: 2000 })).toEqual(
    hex("ffff 0000 0006 ff 01 ffff 07d0"),
  );
});

describe("answers", () => {
  const judge = (pdu: string, unit = 17) => judgeReply(request, { transaction: 0x1501, unit, pdu: hex(pdu) });

  it("carry the values", () => {
    expect(judge("03 06 022b 0000 0064")).toEqual({ kind: "data", bytes: hex("022b 0000 0064") });
    const coils = { ...request, function: 1, count: 19 };
    expect(judgeReply(coils, { transaction: 1, unit: 17, pdu: hex("01 03 cd6b05") })).toEqual({
      kind: "data",
      bytes: hex("cd6b05"),
    });
  });

  it.each(Object.keys(exceptions).map(Number))("exception %i has a name and a bad quality", (code) => {
    expect(judge(`83 ${code.toString(16).padStart(2, "0")}`)).toEqual({ kind: "exception", code });
    expect(exceptionName(code)).toMatch(/^exception \d+ \([a-z ]+\)$/);
    expect(statusOfException(code) >>> 30).toBe(2);
  });

  it("exceptions that no standard knows are bad too", () => {
    expect(exceptionName(99)).toContain("99");
    expect(statusOfException(99) >>> 30).toBe(2);
  });

  it.each([
    ["03 06 022b 0000 0064", 18, "unit"],
    ["04 06 022b 0000 0064", 17, "function"],
    ["84 02", 17, "function"],
    ["03 04 022b 0000", 17, "length"],
    ["03 06 022b 0000", 17, "length"],
    ["03 06 022b 0000 0064 00", 17, "length"],
    ["83 02 00", 17, "length"],
    ["03 00", 17, "length"],
  ])("%s from unit %i is no answer: %s", (pdu, unit, violation) => {
    expect(judge(pdu, unit)).toEqual({ kind: "violation", violation });
  });
});

describe("frames", () => {
  const answer = hex("1501 0000 0009 11 03 06 022b 0000 0064");
  const refusal = hex("1502 0000 0003 11 83 02");

  it("are the same however the stream is cut", () => {
    const stream = Uint8Array.from([...answer, ...refusal, ...answer]);
    const expected = frames([stream]);
    expect(expected.map(({ transaction, pdu }) => [transaction, pdu.length])).toEqual([
      [0x1501, 8],
      [0x1502, 2],
      [0x1501, 8],
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), stream.length];
        const chunks = ends.map((end, i) => stream.slice(i === 0 ? 0 : ends[i - 1], end));
        expect(frames(chunks)).toEqual(expected);
      }),
    );
  });

  it.each([
    ["another protocol", "1501 0001 0003 11 83 02"],
    ["no data", "1501 0000 0002 11 83"],
    ["more than a PDU", "1501 0000 00ff 11 83"],
    ["4 GB as text", "48 54 54 50 2f 31 2e 31"],
  ])("%s ends the stream", (_, bytes) => {
    expect(() => frames([hex(bytes)])).toThrow(FramingError);
    expect(() => frames([...hex(bytes)].map((byte) => Uint8Array.of(byte)))).toThrow(FramingError);
  });

  it("noise never does more than that, and is never kept beyond one frame", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (chunks) => {
        try {
          for (const { pdu } of frames(chunks)) expect(pdu.length).toBeLessThanOrEqual(longestFrame);
        } catch (error) {
          expect(error).toBeInstanceOf(FramingError);
        }
      }),
    );
  });
});
