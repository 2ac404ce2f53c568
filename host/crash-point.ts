/**
 * Crash points of the fault tests (K0 to K9): with LINESHAFT_CRASH=K2:3 the process kills itself the third time it passes K2. Otherwise
 * undefined, so that nothing is called on the hot path.
 */
export function crashPointFrom(setting: string | undefined): ((name: string) => void) | undefined {
  const match = /^(K\d):(\d+)$/.exec(setting ?? "");
  if (match === null) return undefined;
  const [, point, count] = match;
  let left = Number(count);
  return (name) => {
    if (name === point && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
