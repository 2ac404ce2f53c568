import { ProblemError } from "@lineshaft/contract/api";
import {
  type Clock,
  ConnectionError,
  type ConnectionFault,
  connectionFaults,
  type Offer,
} from "@lineshaft/contract/ports";

/** All retry of connectivity is in this file: how long to pause, when to give up, when a connection is parked. Connectors have none. */

export const retryLimits = {
  /** The pause doubles from the first to the longest. */
  firstMs: 200,
  longestMs: 30_000,
  /** For refused credentials and unknown certificates: no account must be locked by us. */
  rareFirstMs: 60_000,
  rareLongestMs: 900_000,
  /** A connection that has held so long begins with the first pause again: a peer that restarts often is not kept waiting for it, and is dialled every few seconds at most. */
  steadyMs: 5_000,
  /** After so long its crashes are forgotten. */
  soundMs: 60_000,
  /** Crashes in a row until a connection is parked. */
  crashes: 3,
  /** How long a new attempt may take. */
  connectMs: 60_000,
} as const;

/** A connector did what none may: threw something unknown, crashed or hung its worker. `innocent`: it only shared the worker with the culprit. */
export class ConnectorCrash extends Error {
  override name = "ConnectorCrash";
  readonly part: "culprit" | "hung" | "innocent";
  constructor(part: ConnectorCrash["part"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.part = part;
  }
}

/** Ends a read in order to read again with other bindings. */
export class BindingsChanged extends Error {
  override name = "BindingsChanged";
}

/** The pause before the next attempt, 50 to 100 % of its step, so that a thousand connections lost at once do not come back at once. */
export function pauseMs(fault: ConnectionFault, attempt: number, random: () => number): number {
  const rarely = connectionFaults[fault].retry === "rarely";
  const first = rarely ? retryLimits.rareFirstMs : retryLimits.firstMs;
  const longest = rarely ? retryLimits.rareLongestMs : retryLimits.longestMs;
  return Math.min(longest, first * 2 ** Math.min(attempt, 30)) * (0.5 + random() / 2);
}

export interface Failure {
  fault: ConnectionFault;
  message: string;
  hint: string;
  technical: string;
}

/** One connection as the loop sees it. */
export interface Keepable {
  clock: Clock;
  random(): number;
  /** One attempt. */
  connect(signal: AbortSignal): Promise<void>;
  /** Until a failure or `BindingsChanged`. */
  read(signal: AbortSignal): Promise<never>;
  /** `pauseMs` null: nothing happens until the configuration changes. */
  waiting(failure: Failure, pauseMs: number | null, was: { wasConnected: boolean; crashed: boolean }): void;
  parked(failure: Failure): void;
}

/** The one loop: connects, reads, pauses, again; until `signal`, or until the connection is parked. Never rejects. */
export async function keepConnected(connection: Keepable, signal: AbortSignal): Promise<void> {
  const { clock } = connection;
  let attempt = 0;
  let crashes = 0;
  while (!signal.aborted) {
    let connectedMs: number | null = null;
    try {
      await limited(clock, signal, (limit) => connection.connect(limit));
      connectedMs = clock.monotonicMs();
      await readOn(connection, signal);
    } catch (error) {
      if (signal.aborted) return;
      const heldMs = connectedMs === null ? 0 : clock.monotonicMs() - connectedMs;
      if (heldMs >= retryLimits.steadyMs) attempt = 0;
      if (heldMs >= retryLimits.soundMs) crashes = 0;
      const crash = crashOf(error);
      const failure = crash === null ? told(error as ConnectionError) : crashTold(crash);
      if (crash === null) crashes = 0;
      else if (crash.part === "innocent") attempt = 0;
      else crashes++;
      if (crash?.part === "hung" || crashes >= retryLimits.crashes) return connection.parked(failure);
      const pause =
        connectionFaults[failure.fault].retry === "onChange"
          ? null
          : pauseMs(failure.fault, attempt++, () => connection.random());
      connection.waiting(failure, pause, { wasConnected: connectedMs !== null, crashed: crash !== null });
      if (pause === null) return;
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }
}

async function readOn(connection: Keepable, signal: AbortSignal): Promise<never> {
  for (;;) {
    try {
      return await connection.read(signal);
    } catch (error) {
      if (!(error instanceof BindingsChanged)) throw error;
    }
  }
}

/** An attempt that outlasts every patience is ended by us. */
async function limited(
  clock: Clock,
  signal: AbortSignal,
  attempt: (limit: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const done = new AbortController();
  const stop = (): void => limit.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  clock.sleep(retryLimits.connectMs, done.signal).then(
    () => {
      const hint = "Is the device very slow, or does something between swallow its answers?";
      limit.abort(new ConnectionError("unreachable", "There was no answer within a minute.", hint, "connect timeout"));
    },
    () => undefined,
  );
  try {
    await attempt(limit.signal);
  } catch (error) {
    throw limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
  } finally {
    done.abort();
    signal.removeEventListener("abort", stop);
  }
}

/** Whatever is no ConnectionError is a fault of the connector itself. */
function crashOf(error: unknown): ConnectorCrash | null {
  if (error instanceof ConnectorCrash) return error;
  if (error instanceof ConnectionError) return null;
  return new ConnectorCrash("culprit", error instanceof Error ? error.message : String(error), { cause: error });
}

function told({ fault, message, hint, technical }: ConnectionError): Failure {
  return { fault, message, hint, technical };
}

function crashTold({ part, message }: ConnectorCrash): Failure {
  const told = {
    innocent: ["Another connection stopped the worker that this one runs in.", "It goes on by itself."],
    culprit: ["The connector failed.", "Record its traffic and report it; a restart or a change starts it again."],
    hung: [
      "The connector hung and was stopped.",
      "Record its traffic and report it; a restart or a change starts it again.",
    ],
  } as const;
  return { fault: "lost", message: told[part][0], hint: told[part][1], technical: message };
}

/**
 * Offers until something took it: a full disk, a quota or a restart of the log only delay the verdict, and the source keeps what is not acknowledged. What
 * would be refused again is answered as rejected.
 */
export async function offerUntilTaken(
  offer: () => Promise<Offer>,
  { clock, random, delayed }: { clock: Clock; random: () => number; delayed: (detail: string) => void },
  signal: AbortSignal,
): Promise<Offer> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await offer();
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        const detail = error instanceof Error ? error.message : String(error);
        return { kind: "rejected", code: "internal", detail, lsn: null };
      }
      if (error.retry !== "later") return { kind: "rejected", code: error.code, detail: error.message, lsn: null };
      delayed(error.message);
      await clock.sleep(Math.max((error.retryAfterSeconds ?? 0) * 1000, pauseMs("lost", attempt, random)), signal);
    }
  }
}
