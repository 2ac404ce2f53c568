import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Authorities and certificates for tests, made by openssl in a folder of their own; each thing is `<name>.crt` and `<name>.key`. */
export class TestCertificates {
  readonly #folder = mkdtempSync(join(tmpdir(), "lineshaft-tls-"));

  constructor() {
    writeFileSync(join(this.#folder, "san.cnf"), "subjectAltName=IP:127.0.0.1\n");
  }

  authority(name: string): void {
    this.#openssl("req", "-x509", ...fresh, "-days", "2", ...files(name, "crt"), "-subj", `/CN=${name}`);
  }

  issue(name: string, commonName: string, authority: string): void {
    this.#openssl("req", ...fresh, ...files(name, "csr"), "-subj", `/CN=${commonName}`);
    const signer = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial"];
    const answer = ["-days", "2", "-out", `${name}.crt`, "-extfile", "san.cnf"];
    this.#openssl("x509", "-req", "-in", `${name}.csr`, ...signer, ...answer);
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  pem(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.#folder, stdio: "ignore" });
  }
}

const files = (name: string, kind: "crt" | "csr"): string[] => ["-keyout", `${name}.key`, "-out", `${name}.${kind}`];
