import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { hasPeer, type PeerName, peers } from "@lineshaft/testkit";

const names = Object.keys(peers) as PeerName[];

/**
 * Installs the missing peers where that is asked for and possible, and says which suites will be left out otherwise. What stays
 * missing shows as skipped tests.
 */
export function preparePeers(): void {
  const missing = names.filter((name) => !hasPeer(name));
  if (missing.length === 0) return;
  const asked = process.env.CI === "true" || process.env.PEERS === "install";
  const able = existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (asked && able) install(missing.flatMap((name) => [...peers[name].packages]));
  for (const name of missing.filter((peer) => !hasPeer(peer))) {
    const why = asked
      ? able
        ? "apt-get could not provide it"
        : "only root on Debian can install it"
      : "not installed";
    console.log(`peer ${name}: ${why}; its suites are skipped: ${peers[name].for}.`);
  }
  if (!asked) console.log("To install them, as root on Debian: PEERS=install npm test");
}

function install(packages: string[]): void {
  console.log(`installing the peers ${packages.join(", ")} …`);
  const apt = (...args: string[]): boolean => {
    const { status, stderr } = spawnSync("apt-get", args, {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
    });
    if (status !== 0) console.error(stderr);
    return status === 0;
  };
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
}
