import { type CheckStep, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { orAborted } from "../../kit/poller.ts";
import type { ModbusConfig } from "./config.ts";
import { SessionFigures } from "./figures.ts";
import { ModbusSession } from "./session.ts";
import { exceptionName } from "./status.ts";

/** Units that devices with Ethernet and small gateways commonly have. */
const commonUnits = [0, 1, 2, 3, 4, 255];
/** The search must not take longer than people wait. */
const searchTimeoutMs = 400;
const gatewayHasNone = [10, 11];

/** Reach it, read from it, and look which units answer. */
export async function* checkModbus(
  config: ModbusConfig,
  context: ConnectorContext,
  signal: AbortSignal,
): AsyncIterable<CheckStep> {
  const { host, port, unitId, timeoutMs, connectTimeoutMs } = config;
  const { clock } = context;
  const open = (patienceMs: number): Promise<ModbusSession> => {
    // No search ends the connection: silence is what it is looking for.
    const patient = { timeoutsUntilLost: 1000, violationsUntilError: 1000, inFlight: 1, timeoutMs: patienceMs };
    return ModbusSession.open(
      { host, port, connectTimeoutMs, ...patient, clock, figures: new SessionFigures() },
      signal,
    );
  };
  const step = `Connect to ${host}:${port}`;
  let session: ModbusSession | null = null;
  try {
    session = await open(timeoutMs);
    yield { step, ok: true, detail: "The connection is accepted." };
    const read = yield* readOnce(session, unitId, signal);
    session.close();
    session = await open(Math.min(timeoutMs, searchTimeoutMs));
    yield await searchUnits(session, [...new Set([unitId, ...commonUnits])], read, signal);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const at = session === null ? step : "Read from the device";
    yield { step: at, ok: false, detail: `${error.message} (${error.technical})`, hint: error.hint };
  } finally {
    session?.close();
  }
}

async function* readOnce(
  session: ModbusSession,
  unit: number,
  signal: AbortSignal,
): AsyncGenerator<CheckStep, boolean> {
  const step = `Read holding:0 of unit ${unit}`;
  const answer = await orAborted(session.read(unit, "holding", 0, 1), signal);
  switch (answer.kind) {
    case "data":
      yield { step, ok: true, detail: `The register holds ${(answer.bytes[0] << 8) | answer.bytes[1]}.` };
      return true;
    case "exception": {
      const ok = !gatewayHasNone.includes(answer.code);
      const detail = `The device answers with ${exceptionName(answer.code)}${ok ? "; it need not have this register" : ""}.`;
      yield ok ? { step, ok, detail } : { step, ok, detail, hint: "Check the unit id: the gateway has no such unit." };
      return ok;
    }
    case "timeout":
      yield {
        step,
        ok: false,
        detail: "No answer came.",
        hint: "Check the unit id, and whether Modbus TCP is enabled.",
      };
      return false;
    default: {
      const hint = "Check that the port speaks Modbus TCP, and not RTU over TCP.";
      yield { step, ok: false, detail: `The answer has a wrong ${answer.violation}.`, hint };
      return false;
    }
  }
}

async function searchUnits(
  session: ModbusSession,
  units: readonly number[],
  configured: boolean,
  signal: AbortSignal,
): Promise<CheckStep> {
  const answering: number[] = [];
  for (const unit of units) {
    const answer = await orAborted(session.read(unit, "holding", 0, 1), signal);
    if (answer.kind === "data" || (answer.kind === "exception" && !gatewayHasNone.includes(answer.code)))
      answering.push(unit);
  }
  answering.sort((a, b) => a - b);
  const step = `Look for units (${units.join(", ")})`;
  if (answering.length > 0) return { step, ok: true, detail: `These answer: ${answering.join(", ")}.` };
  const hint = "Take the unit id from the device's settings.";
  return { step, ok: configured, detail: "None of them answers.", hint };
}
