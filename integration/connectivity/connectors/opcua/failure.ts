import { ConnectionError, type ConnectionFault } from "@lineshaft/contract/ports";

interface Rule {
  pattern: RegExp;
  fault: ConnectionFault;
  message: string;
  hint: string;
}

/** Matched in this order against the library's or the server's words. */
const rules: Rule[] = [
  {
    pattern: /BadUserAccessDenied|BadIdentityToken(Invalid|Rejected)|BadUserSignatureInvalid/,
    fault: "unauthorised",
    message: "The server refuses the user.",
    hint: "Check name and credential in the server's user list; we try again only rarely, so that it is not locked.",
  },
  {
    pattern: /BadSecurityChecksFailed|BadCertificate\w+|BadApplicationSignatureInvalid/,
    fault: "untrusted",
    message: "The server does not accept our certificate.",
    hint: "Trust the certificate of Lineshaft in the server's list of clients (often under `rejected`).",
  },
  {
    pattern: /user token policy|BadSecurityPolicyRejected|BadSecurityModeRejected/,
    fault: "misconfigured",
    message: "The server does not offer this kind of identity or security.",
    hint: "Compare the identity and the security of this connection with the server's settings.",
  },
  {
    pattern: /BadTooMany(Sessions|Subscriptions|SecureChannels|Publish\w*)|BadTcpNotEnoughResources|BadOutOfMemory/,
    fault: "protocol",
    message: "The server has no room for one more session or subscription.",
    hint: "Close clients that are no longer needed, or raise the server's limit.",
  },
  {
    pattern: /hadError/,
    fault: "protocol",
    message: "What answers there ends the conversation.",
    hint: "Check that this is the port of an OPC UA server (opc.tcp), and that it takes one more connection.",
  },
  {
    pattern:
      /ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ETIMEDOUT|ECONNABORTED|Timeout|timed out|has been aborted/i,
    fault: "unreachable",
    message: "Nobody answers at this address.",
    hint: "Check address, port, cable and firewall, and whether the server runs.",
  },
];

/** Whatever went wrong on the way to a session, as a ConnectionError. `url` carries no credential: the schema refuses an `@`. */
export function connectFailure(error: unknown, url: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const technical = words(error);
  const rule = rules.find((r) => r.pattern.test(technical));
  if (rule !== undefined)
    return new ConnectionError(rule.fault, `${url}: ${rule.message}`, rule.hint, technical, { cause: error });
  return new ConnectionError(
    "protocol",
    `${url} answers, but the conversation failed.`,
    "Check that this is the port of an OPC UA server (opc.tcp), and the technical line below.",
    technical,
    { cause: error },
  );
}

/** What went wrong after the session stood. */
export function lost(url: string, error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  return new ConnectionError(
    "lost",
    `${url} went away.`,
    "Nothing to do: the connection is made again, and the gap is filled where the server keeps history.",
    words(error),
    { cause: error },
  );
}

/** The first 300 characters of the error and of its first cause, on one line. */
function words(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
