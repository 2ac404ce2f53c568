/**
 * Which principal a client identifier is bound to. Each principal has its own bound: one that makes up identifiers without end frees its own old ones, never
 * another's.
 */
export class ClientIdOwners {
  readonly #owner = new Map<string, string>();
  readonly #of = new Map<string, Set<string>>();

  get(clientId: string): string | undefined {
    return this.#owner.get(clientId);
  }

  bind(clientId: string, principal: string, max: number): void {
    const before = this.#owner.get(clientId);
    if (before !== undefined) this.#release(clientId, before);
    this.#owner.set(clientId, principal);
    const own = this.#of.get(principal) ?? new Set();
    this.#of.set(principal, own);
    own.add(clientId);
    if (own.size > max) this.#release(own.values().next().value as string, principal);
  }

  #release(clientId: string, principal: string): void {
    this.#owner.delete(clientId);
    const own = this.#of.get(principal);
    own?.delete(clientId);
    if (own?.size === 0) this.#of.delete(principal);
  }
}
