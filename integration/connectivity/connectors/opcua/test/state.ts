import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateFolder, thumbprintOf } from "../certificates.ts";
import { loadOpcua } from "../library.ts";

/** The server of `serverFolder` is trusted in `stateDir`, as if a person had done it; our own certificate is made once for all. */
export async function trustServer(serverFolder: string, stateDir: string): Promise<void> {
  const own = join(serverFolder, "client");
  if (!existsSync(own)) await new CertificateFolder(own).own(await loadOpcua());
  cpSync(own, stateDir, { recursive: true });
  const { raw } = new X509Certificate(readFileSync(join(serverFolder, "server.pem")));
  const trusted = join(stateDir, "pki", "trusted");
  await mkdir(trusted, { recursive: true });
  await writeFile(join(trusted, `${thumbprintOf(raw)}.der`), raw);
}
