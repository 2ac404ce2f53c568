export interface SpaceLimits {
  /** Used fraction from which on a warning is given. */
  warnAt: number;
  /** Used fraction from which on sources are refused … */
  refuseAt: number;
  /** … but never while more than this is free: one per cent of a large disk is much. */
  reserveBytesMax: number;
}

/** `low`: warn. `refuse`: take nothing more from sources. Once refusing, a quarter more must be free to go on. */
export function judgeSpace(
  space: { freeBytes: number; totalBytes: number },
  limits: SpaceLimits,
  refusing: boolean,
): "ok" | "low" | "refuse" {
  const { freeBytes, totalBytes } = space;
  const reserve = Math.min(totalBytes * (1 - limits.refuseAt), limits.reserveBytesMax);
  if (freeBytes < reserve * (refusing ? 1.25 : 1)) return "refuse";
  return freeBytes < totalBytes * (1 - limits.warnAt) ? "low" : "ok";
}

/** Did a write fail for want of space (or quota)? Then it may succeed later. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}
