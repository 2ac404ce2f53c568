import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Real programs that some suites test against. `npm test` installs them where it may (CI=true or PEERS=install, as root on
 * Debian) and otherwise says what it leaves out. A suite asks `describe.skipIf(!hasPeer("strace"))`.
 */
export const peers = {
  chromium: { packages: ["chromium"], files: ["chromium"], for: "the console in a real browser" },
  fuse: {
    packages: ["fuse3", "python3-fusepy"],
    files: ["fusermount3", "python3", "/usr/lib/python3/dist-packages/fusepy.py", "/dev/fuse"],
    for: "power cuts on a real file system (F7)",
  },
  strace: { packages: ["strace"], files: ["strace"], for: "failing and slow syncs (F8, F10)" },
  mosquitto: { packages: ["mosquitto"], files: ["/usr/sbin/mosquitto"], for: "a foreign MQTT broker" },
  openssl: { packages: ["openssl"], files: ["openssl"], for: "certificates for TLS" },
  openpyxl: {
    packages: ["python3-openpyxl"],
    files: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/openpyxl/__init__.py"],
    for: "workbooks of another program",
  },
  faketime: { packages: ["faketime"], files: ["faketime"], for: "jumps of the wall clock (F15)" },
} as const satisfies Record<string, { packages: string[]; files: string[]; for: string }>;

export type PeerName = keyof typeof peers;

/** Are all its files there? Names without a slash are looked up on the PATH. */
export function hasPeer(name: PeerName): boolean {
  const path = (process.env.PATH ?? "").split(delimiter);
  return peers[name].files.every((file) =>
    file.startsWith("/") ? existsSync(file) : path.some((dir) => existsSync(join(dir, file))),
  );
}
