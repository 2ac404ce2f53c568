import { ProblemError } from "@lineshaft/contract/api";
import type { CheckStep } from "@lineshaft/contract/ports";
import { Answer, type Handlers } from "./call.ts";
import type { Services } from "./services.ts";

/** Lines of JSON, one a step. */
export const linesMediaType = "application/x-ndjson";
/** How long a check may take in all. */
const checkMs = 30_000;

type Routes = "listConnectionKinds" | "checkConnection" | "diagnoseConnection" | "restartConnection";

/** The connections that the platform runs itself. Whether somebody may see one is decided by the list of connections. */
export function connectivityHandlers({ connections, connectivity }: Services): Pick<Handlers, Routes> {
  return {
    listConnectionKinds: () => ({ items: connectivity.kinds() as never }),
    checkConnection: ({ body, signal }) => {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(checkMs)]);
      return new Answer(linesMediaType, lines(connectivity.check(body.kind, body.config, limited)), true);
    },
    diagnoseConnection: async ({ principal, params }) => {
      connections.get(principal, params.connection);
      const found = await connectivity.diagnose(principal.tenant, params.connection);
      if (found === null) throw new ProblemError("not_found", "This server does not run the connection itself.");
      return found;
    },
    restartConnection: async ({ principal, params }) => {
      connections.get(principal, params.connection);
      await connectivity.restart(principal.tenant, params.connection);
      return {};
    },
  };
}

/** The answer has begun when a step fails for a reason of its own, so the reason is its last line. */
async function* lines(steps: AsyncIterable<CheckStep>): AsyncIterable<string> {
  try {
    for await (const step of steps) yield `${JSON.stringify(step)}\n`;
  } catch {
    const hint = "Try again; when it stays so, report it with the time.";
    yield `${JSON.stringify({ step: "Check", ok: false, detail: "The check ended early: a fault of its own, or 30 s were over.", hint })}\n`;
  }
}
