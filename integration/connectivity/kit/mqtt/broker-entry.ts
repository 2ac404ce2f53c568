import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { AuthenticateError, ConnectPacket } from "aedes";
import { type MqttLogin, type MqttPrincipal, mayPublish, mayUseClientId } from "./broker-access.ts";
import type { BrokerOptions } from "./broker-options.ts";

/** MQTT 3.1.1, 3.2.2.3; aedes translates to MQTT 5: 2 → 0x85, 4 → 0x86, 5 → 0x87. */
const returnCode = { identifierRejected: 2, badCredential: 4, notAuthorised: 5 } as const;

/** Who came with a CONNECT: a principal, or the refusal that its CONNACK carries. */
export interface Entrant {
  /** As the client spells it; empty: the broker makes one. */
  clientId: string;
  remoteAddress: string;
  admitted: MqttPrincipal | AuthenticateError;
}

export const refusal = (code: keyof typeof returnCode, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode: returnCode[code] }) as AuthenticateError;

/** Judges a CONNECT by credential, client identifier and will. Whether the identifier is another's at the moment is the broker's to say. */
export async function judgeEntrant(
  options: Pick<BrokerOptions, "authenticate" | "principal" | "clientIdOwner">,
  packet: ConnectPacket,
  socket: Socket,
): Promise<Entrant> {
  const { clientId, username, will } = packet;
  const remoteAddress = socket.remoteAddress ?? "";
  const entrant = (admitted: Entrant["admitted"]): Entrant => ({ clientId, remoteAddress, admitted });
  const login: MqttLogin = {
    clientId,
    username: username ?? null,
    password: packet.password ?? null,
    certificate: certificateOf(socket as TLSSocket),
    remoteAddress,
  };
  if (login.password === null && login.certificate === null)
    return entrant(refusal("notAuthorised", "Anonymous access is not allowed."));
  const name = await options.authenticate(login);
  const principal = name === null ? null : options.principal(name);
  if (principal === null) return entrant(refusal("badCredential", "The credential is not known."));
  const owner = options.clientIdOwner?.(clientId) ?? principal.name;
  // One that the broker makes up is allowed to whoever may use any.
  if (!mayUseClientId(principal, clientId === "" ? "unnamed" : clientId) || owner !== principal.name)
    return entrant(refusal("identifierRejected", `"${principal.name}" may not use this client identifier.`));
  // A20: a will is a publish in the future, so its rights are checked now, and again when it is due.
  if (will !== undefined && !mayPublish(principal, will.topic))
    return entrant(refusal("notAuthorised", `"${principal.name}" may not leave a will on this topic.`));
  return entrant(principal);
}

function certificateOf(socket: TLSSocket): MqttLogin["certificate"] {
  if (socket.encrypted !== true || !socket.authorized) return null;
  const peer = socket.getPeerCertificate();
  if (peer?.fingerprint256 === undefined) return null;
  const commonName = peer.subject?.CN;
  return { fingerprint256: peer.fingerprint256, commonName: typeof commonName === "string" ? commonName : "" };
}
