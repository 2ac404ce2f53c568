/** Whose a client identifier is. */
export interface ClientIdOwner {
  principal: string;
  realm: string;
}

/**
 * Which principal a client identifier is bound to. Each principal has its own bound: one that makes up identifiers without end frees its own old ones, never
 * another's. Inside the broker an identifier begins with its realm, so that two tenants may use the same one.
 */
export class ClientIdOwners {
  readonly #owner = new Map<string, ClientIdOwner>();
  readonly #of = new Map<string, Set<string>>();

  static inside(realm: string, clientId: string): string {
    return `${realm}/${clientId}`;
  }

  get(inside: string): ClientIdOwner | undefined {
    return this.#owner.get(inside);
  }

  /** True when it was another's before: what that one left is not the new one's. */
  bind(inside: string, owner: ClientIdOwner, max: number): boolean {
    const before = this.#owner.get(inside);
    if (before !== undefined) this.#release(inside, before.principal);
    this.#owner.set(inside, owner);
    const own = this.#of.get(owner.principal) ?? new Set();
    this.#of.set(owner.principal, own);
    own.add(inside);
    if (own.size > max) this.#release(own.values().next().value as string, owner.principal);
    return before !== undefined && before.principal !== owner.principal;
  }

  #release(inside: string, principal: string): void {
    this.#owner.delete(inside);
    const own = this.#of.get(principal);
    own?.delete(inside);
    if (own?.size === 0) this.#of.delete(principal);
  }
}
