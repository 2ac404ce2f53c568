import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { ProblemError } from "@lineshaft/contract/api";

const gunzipBytes = promisify(gunzip);
const inflateBytes = promisify(inflate);

/**
 * The body of a request as bytes, aligned to 8 so that columns can be read in place. A body that is too large or broken is a
 * problem that the handler throws when it looks: by then we know who sent it and to which connection.
 */
export class RequestBody {
  readonly mediaType: string;
  readonly #bytes: Uint8Array | null;
  readonly #problem: ProblemError | null;

  constructor(mediaType: string, content: Uint8Array | ProblemError) {
    this.mediaType = mediaType;
    this.#bytes = content instanceof ProblemError ? null : content;
    this.#problem = content instanceof ProblemError ? content : null;
  }

  get bytes(): Uint8Array {
    if (this.#bytes === null) throw this.#problem;
    return this.#bytes;
  }

  /** What can be kept of a body that is refused. */
  get kept(): Uint8Array | null {
    return this.#bytes;
  }
}

/**
 * Reads and, if need be, inflates a body of at most `limit` bytes. Longer ones are refused by their Content-Length before a
 * byte is kept, or at the first byte too many; Node then reads the rest and forgets it, so that the answer arrives.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<RequestBody> {
  const mediaType = (request.headers["content-type"] ?? "").split(";", 1)[0].trim().toLowerCase();
  const tooLarge = (bytes: number): RequestBody =>
    new RequestBody(
      mediaType,
      new ProblemError("body_too_large", `The body has ${bytes} bytes or more; ${limit} are taken.`),
    );
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limit) return tooLarge(announced);
  const received = await collect(request, limit);
  if (received === null) return tooLarge(limit + 1);
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return new RequestBody(mediaType, received);
  return new RequestBody(mediaType, await decompress(encoding, received, limit));
}

function collect(request: IncomingMessage, limit: number): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        chunks.length = 0;
        request.removeAllListeners("data");
        request.resume();
        resolve(null);
      } else {
        chunks.push(chunk);
      }
    });
    request.on("end", () => {
      // Its own memory, never a piece of a pool: columns need the alignment, and views on it may live long.
      const bytes = Buffer.allocUnsafeSlow(size);
      let at = 0;
      for (const chunk of chunks) at += chunk.copy(bytes, at);
      resolve(bytes);
    });
    request.on("error", reject);
    request.on("close", () => reject(new ProblemError("bad_framing", "The connection ended within the body.")));
  });
}

async function decompress(encoding: string, bytes: Uint8Array, limit: number): Promise<Uint8Array | ProblemError> {
  const options = { maxOutputLength: limit };
  try {
    if (encoding === "gzip" || encoding === "x-gzip") return await gunzipBytes(bytes, options);
    if (encoding === "deflate") return await inflateBytes(bytes, options);
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE")
      return new ProblemError("decompressed_too_large", `Decompressed, the body has more than ${limit} bytes.`);
    return new ProblemError("bad_framing", `The body is not well-formed ${encoding}.`, { cause: error });
  }
  return new ProblemError(
    "media_type_unsupported",
    `Content-Encoding "${encoding.slice(0, 40)}" cannot be read; gzip and deflate can.`,
  );
}
