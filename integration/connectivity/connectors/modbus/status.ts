import { type StatusCode, statusBadNoCommunication } from "@lineshaft/contract/api";

/** OPC UA StatusCodes (Part 6, Annex A) for what Modbus answers instead of a value. */
export const status = {
  badCommunicationError: 0x80050000,
  badDecodingError: 0x80070000,
  badTimeout: 0x800a0000,
  badOutOfRange: 0x803c0000,
  badConfigurationError: 0x80890000,
  badDataUnavailable: 0x809e0000,
} as const;

interface ExceptionEntry {
  /** The protocol's word (Modbus Application Protocol V1.1b3, chapter 7). */
  name: string;
  status: StatusCode;
}

/** The exceptions of the protocol and the quality that a value gets by each. */
export const exceptions: Readonly<Record<number, ExceptionEntry>> = {
  1: { name: "illegal function", status: 0x803d0000 }, // Bad_NotSupported
  2: { name: "illegal data address", status: 0x803e0000 }, // Bad_NotFound
  3: { name: "illegal data value", status: status.badOutOfRange },
  4: { name: "server device failure", status: 0x808b0000 }, // Bad_DeviceFailure
  5: { name: "acknowledge", status: 0x80b20000 }, // Bad_WaitingForResponse
  6: { name: "server device busy", status: 0x80040000 }, // Bad_ResourceUnavailable
  10: { name: "gateway path unavailable", status: 0x808a0000 }, // Bad_NotConnected
  11: { name: "gateway target device failed to respond", status: statusBadNoCommunication },
};

export function exceptionName(code: number): string {
  return `exception ${code} (${exceptions[code]?.name ?? "not in the standard"})`;
}

export function statusOfException(code: number): StatusCode {
  return exceptions[code]?.status ?? status.badDataUnavailable;
}
