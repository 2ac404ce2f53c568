import { type CheckStep, ConnectionError, type ConnectorContext } from "@lineshaft/contract/ports";
import { certificatesOf, daysLeft } from "./certificates.ts";
import { readConfig } from "./config.ts";
import { connectFailure } from "./failure.ts";
import { loadOpcua } from "./library.ts";
import { type LinkStep, leave, openLink, orAborted } from "./link.ts";

const sentences: Record<LinkStep, string> = {
  dial: "The server answers",
  endpoints: "The server lists its endpoints",
  policy: "Both sides know a security policy",
  certificate: "The server's certificate is in order",
  session: "The server has accepted us",
};
const order: readonly LinkStep[] = ["dial", "endpoints", "policy", "certificate", "session"];
/** From here on a certificate's end is worth a word. */
const warnDays = 30;

/** Goes the way of a connection, step by step, and reads one value; nothing is kept but an unknown certificate, for a person to trust. */
export async function* checkServer(
  input: unknown,
  context: ConnectorContext,
  signal: AbortSignal,
): AsyncGenerator<CheckStep> {
  const done: CheckStep[] = [];
  let at: string = "configuration";
  try {
    const config = readConfig(input);
    const opcua = await orAborted(signal, loadOpcua());
    const reached = (step: LinkStep, detail: string): void => {
      done.push({ step, ok: true, detail: `${sentences[step]}: ${detail}.` });
    };
    let link: Awaited<ReturnType<typeof openLink>>;
    try {
      link = await openLink({ opcua, config, context, signal, onStep: reached });
    } finally {
      at = order[done.length] ?? "session";
      yield* done;
    }
    try {
      at = "read";
      const nodeId = opcua.coerceNodeId(opcua.VariableIds.Server_ServerStatus_CurrentTime);
      const answer = await orAborted(signal, link.session.read({ nodeId, attributeId: opcua.AttributeIds.Value }));
      if (answer.statusCode.isBad()) throw new Error(answer.statusCode.toString());
      yield { step: "read", ok: true, detail: "A value was read: the server's clock." };
    } catch (error) {
      throw connectFailure(error, config.endpointUrl);
    } finally {
      await orAborted(signal, link.session.close(true)).catch(() => {});
      await leave(link.client, context);
    }
    at = "validity";
    const own = (await certificatesOf(context).own(opcua)).summary;
    for (const [whose, summary] of [
      ["Our", own],
      ["The server's", link.serverCertificate],
    ] as const) {
      if (summary === null) continue;
      const days = daysLeft(summary, context.clock.nowUs());
      const detail = `${whose} certificate is valid for ${days} more days.`;
      yield { step: "validity", ok: true, detail, ...(days < warnDays ? { hint: "Renew it before it ends." } : {}) };
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof ConnectionError ? error : connectFailure(error, "The server");
    const technical = failure.technical === "" ? "" : ` (${failure.technical})`;
    yield { step: at, ok: false, detail: failure.message + technical, hint: failure.hint };
  }
}
