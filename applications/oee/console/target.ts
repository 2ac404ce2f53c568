import { useSyncExternalStore } from "react";

/** What is called world class, until somebody sets a target of their own. */
const usual = 0.85;
const stored = "lineshaft.oee.target";
const listeners = new Set<() => void>();
let target: number | null = null;

function read(): number {
  if (target !== null) return target;
  try {
    const kept = Number(localStorage.getItem(stored));
    target = kept > 0 && kept <= 1 ? kept : usual;
  } catch {
    // A browser that keeps nothing shows the usual one.
    target = usual;
  }
  return target;
}

function write(next: number): void {
  target = next;
  try {
    localStorage.setItem(stored, String(next));
  } catch {
    // Holds for this visit only.
  }
  for (const listener of listeners) listener();
}

/** So far below its target a number asks for attention; a little below it is an ordinary day. */
const farBelow = 0.8;

export const isLow = (share: number | null, target: number | null): boolean =>
  share !== null && target !== null && share < target * farBelow;

/** The OEE that this person wants to see reached; kept in the browser. */
export function useTarget(): [number, (next: number) => void] {
  const now = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, read);
  return [now, write];
}
