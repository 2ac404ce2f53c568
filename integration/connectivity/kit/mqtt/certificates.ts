import { createHash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { RestsOn } from "@lineshaft/contract/ports";

/** What an encrypted connection to a server rests on: our own certificate, where we show one, and the server's. */
export function restsOn(socket: Socket, own: string | undefined): RestsOn[] {
  if (!(socket instanceof TLSSocket)) return [];
  const peer = socket.getPeerX509Certificate();
  return [
    ...(own === undefined ? [] : [described("own", new X509Certificate(own))]),
    ...(peer === undefined ? [] : [described("peer", peer)]),
  ];
}

function described(of: RestsOn["of"], x509: X509Certificate): RestsOn {
  return {
    of,
    thumbprint: createHash("sha256").update(x509.raw).digest("hex").toUpperCase(),
    subject: x509.subject.replaceAll("\n", ", "),
    validToUs: x509.validToDate.getTime() * 1000,
  };
}
