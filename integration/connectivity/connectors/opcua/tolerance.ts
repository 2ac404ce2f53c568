import type * as Library from "node-opcua-client";
import { endOfVariant } from "./step-over.ts";

/** Bytes that are being decoded: `length` is the position. */
interface Stream {
  length: number;
  buffer: Buffer;
}
interface Decodable {
  decode(stream: Stream): void;
}

/** A notification whose bytes cannot be told apart. */
export interface Undecodable {
  undecodable?: { bytes: Uint8Array; reason: string };
}

const badEncodingLimitsExceeded = 0x80080000;

/**
 * The library drops a whole message, or silently the rest of a notification, when one value in it is too long, too deep or malformed. Here such a value becomes
 * one that says so and its neighbours arrive; where even its end cannot be found, the notification keeps its bytes, so that it can be kept as rejected.
 */
export function tolerate(opcua: typeof Library): void {
  patch(opcua.Variant.prototype as unknown as Decodable, (target, stream, at) => {
    stream.length = endOfVariant(stream.buffer, at);
    Object.assign(target, {
      dataType: 0,
      arrayType: 0,
      value: null,
      dimensions: null,
      unreadable: badEncodingLimitsExceeded,
    });
  });
  patch(opcua.DataChangeNotification.prototype as unknown as Decodable, (target, stream, at, error) => {
    const bytes = new Uint8Array(stream.buffer.subarray(at));
    Object.assign(target, { monitoredItems: [], diagnosticInfos: [], undecodable: { bytes, reason: error.message } });
    // Whoever reads the structure around it knows its length, and goes on behind it.
    stream.length = at;
  });
}

function patch(prototype: Decodable, mend: (target: object, stream: Stream, at: number, error: Error) => void): void {
  const decode = prototype.decode;
  prototype.decode = function (this: Decodable, stream: Stream): void {
    const at = stream.length;
    try {
      decode.call(this, stream);
    } catch (error) {
      mend(this, stream, at, error as Error);
    }
  };
}
