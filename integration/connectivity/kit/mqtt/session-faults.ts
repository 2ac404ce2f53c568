import { ConnectionError } from "@lineshaft/contract/ports";

const hex = (code: number): string => `0x${code.toString(16).padStart(2, "0")}`;

/** MQTT 3.1.1 return codes 1 to 5 as the reason codes of MQTT 5 (3.2.2.3 there, 3.2.2.2 here). */
const fromReturnCode = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87];

/** Why the broker did not take us. */
export function connackFault(version: 4 | 5, code: number, where: string): ConnectionError {
  const reason = version === 5 ? code : (fromReturnCode[code] ?? 0x80);
  const technical = `CONNACK ${hex(code)}`;
  switch (reason) {
    case 0x86:
    case 0x87:
    case 0x8a:
    case 0x8c:
      return new ConnectionError(
        "unauthorised",
        `${where} refuses the credential.`,
        "Check user, password or client certificate, and whether the broker allows this client identifier.",
        technical,
      );
    case 0x84:
      return new ConnectionError(
        "misconfigured",
        `${where} does not speak this version of MQTT.`,
        "Choose the other MQTT version for this connection.",
        technical,
      );
    case 0x85:
      return new ConnectionError(
        "misconfigured",
        `${where} does not accept the client identifier.`,
        "Give this connection a client identifier that the broker allows.",
        technical,
      );
    case 0x9c:
    case 0x9d:
      return new ConnectionError(
        "misconfigured",
        `${where} asks to use another server.`,
        "Enter the address that the broker's operator names.",
        technical,
      );
    case 0x88:
    case 0x89:
    case 0x97:
    case 0x9f:
      return new ConnectionError(
        "unreachable",
        `${where} takes no connection at the moment.`,
        "The broker is starting, busy or at a quota; it is tried again by itself.",
        technical,
      );
    default:
      return new ConnectionError(
        "protocol",
        `${where} ended the connection attempt.`,
        "See the broker's log for the reason.",
        technical,
      );
  }
}

/** The broker's own DISCONNECT (MQTT 5, 3.14). */
export function disconnectFault(code: number, where: string): ConnectionError {
  const hint =
    code === 0x8e
      ? "Another client uses the same client identifier; give each its own."
      : "See the broker's log for the reason; the connection is tried again by itself.";
  return new ConnectionError("lost", `${where} ended the session.`, hint, `DISCONNECT ${hex(code)}`);
}

export function subscribeFault(code: number, filter: string, where: string): ConnectionError {
  return new ConnectionError(
    "unauthorised",
    `${where} refuses the subscription to "${filter}".`,
    "Grant this topic filter to the connection's user at the broker.",
    `SUBACK ${hex(code)}`,
  );
}

export function protocolFault(where: string, technical: string, cause?: unknown): ConnectionError {
  return new ConnectionError(
    "protocol",
    `${where} does not answer in MQTT.`,
    "Check the port, and whether it expects TLS or a WebSocket.",
    technical,
    { cause },
  );
}

/** A socket's failure, before (`unreachable`) or during (`lost`) a session. */
export function socketFault(error: Error & { code?: string }, where: string, established: boolean): ConnectionError {
  const code = error.code ?? "";
  const technical = `${code} ${error.message}`.trim();
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return new ConnectionError(
      "untrusted",
      `The certificate of ${where} is not trusted.`,
      "Enter the authority that issued it, or have the broker's certificate corrected.",
      technical,
      { cause: error },
    );
  }
  if (/ALERT.*(CERTIFICATE|ACCESS_DENIED)/i.test(code)) {
    return new ConnectionError(
      "unauthorised",
      `${where} refuses our client certificate.`,
      "Give this connection a certificate that the broker's authority has issued.",
      technical,
      { cause: error },
    );
  }
  if (code.startsWith("ERR_SSL") || code === "EPROTO") return protocolFault(where, technical, error);
  if (established) {
    const hint = "Check network and broker; the connection is tried again by itself.";
    return new ConnectionError("lost", `The connection to ${where} broke.`, hint, technical, { cause: error });
  }
  return new ConnectionError(
    "unreachable",
    `${where} cannot be reached.`,
    "Check address, port and firewall, and that the broker runs.",
    technical,
    { cause: error },
  );
}
