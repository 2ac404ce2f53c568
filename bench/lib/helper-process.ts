/** The helper's side of `Helper`: messages to the parent. */
export function tellParent(message: object): void {
  process.send?.(message);
}

/** The last message; the process ends when it is on its way. */
export function endWith(message: object): void {
  process.send?.(message, undefined, {}, () => process.exit(0));
}

/** CPU seconds of this process since `start`, for its result. */
export function cpuSecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return Math.round((user + system) / 1e4) / 100;
}
