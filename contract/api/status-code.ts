/** Quality is the OPC UA StatusCode (Part 4, 7.39), kept losslessly: the top two bits are the severity. */
export type StatusCode = number;

export const statusGood: StatusCode = 0;
/** The value is kept; its source time lay beyond the clock bounds, so it stands at our receivedTime. */
export const statusUncertainTime: StatusCode = 0x40000000;
export const statusBadNoCommunication: StatusCode = 0x80310000;

export type Quality = "good" | "uncertain" | "bad";

/** Severity of a StatusCode: 00 good, 01 uncertain, 1x bad. */
export function qualityOf(status: StatusCode): Quality {
  const severity = status >>> 30;
  return severity === 0 ? "good" : severity === 1 ? "uncertain" : "bad";
}
