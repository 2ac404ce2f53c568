import {
  type Certificate,
  type Certificates,
  dayUs,
  inScope,
  type LinesEnd,
  type LinesFailure,
  type Principal,
  ProblemError,
} from "@lineshaft/contract/api";
import {
  type CertificateStore,
  type CertificateSummary,
  ConnectionError,
  type ConnectionTarget,
} from "@lineshaft/contract/ports";
import { Answer, type Handlers } from "./call.ts";
import type { Services } from "./services.ts";

/** Lines of JSON, one a step. */
export const linesMediaType = "application/x-ndjson";
/** Routes that answer in lines. */
export const lineRoutes: ReadonlySet<string> = new Set([
  "checkConnection",
  "browseConnection",
  "proposeTemplates",
  "watchWire",
]);
/** How long a check, or a look at one level, may take in all. */
const checkMs = 30_000;
const defaultBrowseLimit = 1000;
const defaultLookSeconds = 10;
const defaultWireSeconds = 30;

type Routes =
  | "listConnectionKinds"
  | "checkConnection"
  | "browseConnection"
  | "proposeTemplates"
  | "watchWire"
  | "listCertificates"
  | "trustCertificate"
  | "distrustCertificate"
  | "listKindCertificates"
  | "trustKindCertificate"
  | "distrustKindCertificate"
  | "diagnoseConnection"
  | "restartConnection";

/** The connections that the platform runs itself. Whether somebody may see one is decided by the list of connections. */
export function connectivityHandlers({ connections, connectivity, clock }: Services): Pick<Handlers, Routes> {
  /** A running connection that `p` may see, or a configuration as it was sent. */
  const targetOf = (
    p: Principal,
    { connection, kind, config }: { connection?: string; kind?: string; config?: Record<string, unknown> },
  ): ConnectionTarget => {
    if (connection !== undefined && kind === undefined && config === undefined) {
      connections.get(p, connection);
      if (connectivity.status(p.tenant, connection) === null) throw notRun();
      return { connection };
    }
    if (connection !== undefined || kind === undefined || config === undefined)
      throw new ProblemError("request_invalid", "Give either a connection, or a kind with its config.");
    return { kind, config };
  };

  /** The store is one for all connections of the kind, so it is for those who may configure them all. */
  const storeOf = (p: Principal, kind: string): CertificateStore => {
    if (!inScope(p, ""))
      throw new ProblemError("forbidden", "Certificates serve the whole enterprise; your scope is a part of it.");
    const store = connectivity.certificates(p.tenant, kind, p.name);
    if (store === null)
      throw new ProblemError("not_found", `Connections of kind "${kind.slice(0, 64)}" have no certificates here.`);
    return store;
  };
  const kindOf = (p: Principal, connection: string): string => connections.get(p, connection).kind;

  const present = ({ validity: _, ...summary }: CertificateSummary): Certificate => ({
    ...summary,
    daysLeft: Math.floor((summary.validToUs - clock.nowUs()) / dayUs),
  });
  const list = async (p: Principal, kind: string): Promise<Certificates> => {
    const { own, trusted, rejected } = await storeOf(p, kind).list();
    return {
      kind,
      own: own === null ? null : present(own),
      trusted: trusted.map(present),
      rejected: rejected.map(present),
    };
  };
  const decide = async (
    p: Principal,
    kind: string,
    what: "trust" | "distrust",
    thumbprint: string,
  ): Promise<Certificate> => {
    const found = await storeOf(p, kind)[what](thumbprint);
    if (found !== null) return present(found);
    const where = what === "trust" ? "rejected" : "trusted";
    throw new ProblemError("not_found", `No ${where} certificate has the thumbprint ${thumbprint}.`);
  };

  return {
    listConnectionKinds: () => ({ items: connectivity.kinds() as never }),
    checkConnection: ({ principal, body, signal }) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(checkMs)]);
      const steps = connectivity.check(principal.tenant, body.kind, body.config, limited);
      return new Answer(linesMediaType, checkLines(steps), true);
    },
    browseConnection: ({ principal, body, signal }) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(checkMs)]);
      const target = targetOf(principal, body);
      const items = connectivity.browse(principal.tenant, target, body.from ?? "", limited);
      return new Answer(linesMediaType, lines(items, { limit: body.limit ?? defaultBrowseLimit }), true);
    },
    proposeTemplates: ({ principal, body, signal }) => {
      const look = { filters: body.filters ?? [], seconds: body.seconds ?? defaultLookSeconds };
      const limited = AbortSignal.any([signal, AbortSignal.timeout(checkMs + look.seconds * 1000)]);
      const target = targetOf(principal, body);
      let overlooked = 0;
      const proposals = async function* () {
        const found = await connectivity.propose(principal.tenant, target, look, limited);
        overlooked = found.overlooked;
        yield* found.items;
      };
      return new Answer(linesMediaType, lines(proposals(), { more: () => overlooked > 0 }), true);
    },
    watchWire: ({ principal, params, query, signal }) => {
      connections.get(principal, params.connection);
      const seconds = query.seconds ?? defaultWireSeconds;
      const limited = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
      const view = connectivity.wire(principal.tenant, params.connection, limited);
      if (view === null) throw notRun();
      return new Answer(linesMediaType, lines(view, { more: () => view.missed > 0 }), true);
    },
    listCertificates: ({ principal, params }) => list(principal, kindOf(principal, params.connection)),
    trustCertificate: ({ principal, params }) =>
      decide(principal, kindOf(principal, params.connection), "trust", params.thumbprint),
    distrustCertificate: ({ principal, params }) =>
      decide(principal, kindOf(principal, params.connection), "distrust", params.thumbprint),
    listKindCertificates: ({ principal, params }) => list(principal, params.kind),
    trustKindCertificate: ({ principal, params }) => decide(principal, params.kind, "trust", params.thumbprint),
    distrustKindCertificate: ({ principal, params }) => decide(principal, params.kind, "distrust", params.thumbprint),
    diagnoseConnection: async ({ principal, params }) => {
      connections.get(principal, params.connection);
      const found = await connectivity.diagnose(principal.tenant, params.connection);
      if (found === null) throw notRun();
      return found;
    },
    restartConnection: async ({ principal, params }) => {
      connections.get(principal, params.connection);
      await connectivity.restart(principal.tenant, params.connection);
      return {};
    },
  };
}

const notRun = (): ProblemError => new ProblemError("not_found", "This server does not run the connection itself.");

const line = (value: object): string => `${JSON.stringify(value)}\n`;

/** The answer has begun when a step fails for a reason of its own, so the reason is its last line. */
async function* checkLines(steps: AsyncIterable<object>): AsyncIterable<string> {
  try {
    for await (const step of steps) yield line(step);
  } catch {
    const hint = "Try again; when it stays so, report it with the time.";
    yield line({
      step: "Check",
      ok: false,
      detail: "The check ended early: a fault of its own, or 30 s were over.",
      hint,
    });
  }
}

/** Things as they come, up to `limit`; the last line says how it ended, so that an answer that was cut off is told from a whole one. */
async function* lines(
  things: AsyncIterable<object>,
  { limit = Infinity, more = () => false }: { limit?: number; more?: () => boolean },
): AsyncIterable<string> {
  let count = 0;
  try {
    for await (const thing of things) {
      if (count === limit) {
        yield line({ end: { lines: count, more: true } } satisfies LinesEnd);
        return;
      }
      count++;
      yield line(thing);
    }
    yield line({ end: { lines: count, more: more() } } satisfies LinesEnd);
  } catch (error) {
    yield line({ error: failureOf(error) } satisfies LinesFailure);
  }
}

function failureOf(error: unknown): LinesFailure["error"] {
  if (error instanceof ConnectionError) {
    const { fault, message, hint, technical } = error;
    return { fault, message, hint, technical };
  }
  const late = error instanceof Error && error.name === "TimeoutError";
  const message = late ? "It took longer than 30 s." : "It ended early by a fault of its own.";
  return { message, hint: "Try again; when it stays so, report it with the time.", technical: "" };
}
