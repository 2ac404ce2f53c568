import { may, type Permission, type Principal, type Session } from "@lineshaft/contract/api";
import { useSyncExternalStore } from "react";
import { stopFeed } from "./feed.ts";
import { call, observeSignedOut } from "./platform.ts";
import { isCode } from "./problem.tsx";

export type SessionState =
  | { state: "asking" }
  | { state: "signedOut"; reason: "first" | "expired" }
  | { state: "away"; error: unknown }
  | { state: "signedIn"; session: Session };

let current: SessionState = { state: "asking" };
const listeners = new Set<() => void>();

function set(next: SessionState): void {
  current = next;
  for (const listener of listeners) listener();
}

export async function askSession(): Promise<void> {
  try {
    set({ state: "signedIn", session: await call("getSession") });
  } catch (error) {
    if (isCode(error, "auth_missing") || isCode(error, "auth_invalid")) set({ state: "signedOut", reason: "first" });
    else set({ state: "away", error });
  }
}

/** Rejects with the server's problem. `kiosk`: it lasts as long as the key, where the key may do no more than a kiosk. */
export async function signIn(secret: string, where: "console" | "kiosk"): Promise<void> {
  set({
    state: "signedIn",
    session: await (where === "kiosk" ? signInKiosk(secret) : call("signIn", { body: { secret } })),
  });
}

async function signInKiosk(secret: string): Promise<Session> {
  try {
    return await call("signIn", { body: { secret, lasts: "key" } });
  } catch (error) {
    // Whoever may do more looks in for a visit.
    if (!isCode(error, "forbidden")) throw error;
    return call("signIn", { body: { secret } });
  }
}

export async function signOut(): Promise<void> {
  stopFeed();
  await call("signOut").catch(() => {});
  set({ state: "signedOut", reason: "first" });
}

export function startSession(): void {
  observeSignedOut(() => {
    if (current.state !== "signedIn") return;
    stopFeed();
    set({ state: "signedOut", reason: "expired" });
  });
  void askSession();
}

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** May the signed-in person do this? The server decides; this only keeps useless buttons away. */
export function allowed(permission: Permission): boolean {
  return current.state === "signedIn" && may({ role: current.session.role } as Principal, permission);
}
