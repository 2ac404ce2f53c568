import type { Micros } from "@lineshaft/contract/api";
import { MemoryStore } from "../../../integration/platform/derivation/follower.fixture.ts";
import type { BindingSpec, Derivation } from "../../../integration/platform/derivation/index.ts";
import { FactsSaver } from "../../../integration/platform/derivation/saver.ts";

/** What a crash leaves of facts: the last save, and what stands in the log since. */
export class Saved {
  /** In order. */
  since: ((derivation: Derivation) => void)[] = [];
  readonly #store = new MemoryStore();
  #context: Derivation["context"] | null = null;
  #watermark: Micros = Number.NEGATIVE_INFINITY;
  #saver: { of: Derivation; saver: FactsSaver } | null = null;

  save(derivation: Derivation, watermark: Micros): void {
    if (this.#saver?.of !== derivation) {
      // Another process goes on where the one before it left the disk.
      this.#saver = { of: derivation, saver: new FactsSaver(this.#store, derivation) };
      for (const id of derivation.bindings.keys()) this.#saver.saver.bound(id, { key: String(id), rows: [] });
    }
    const context = structuredClone(derivation.context);
    // The store in memory has it all when this returns.
    void this.#saver.saver.save(0, { ...context, gaps: [], life: [] as never, told: [] }, 0);
    this.#context = context;
    this.#watermark = watermark;
    this.since = [];
  }

  /** Makes a new derivation what was saved, and what came of it since; false: nothing was. */
  restore(derivation: Derivation, specs: readonly BindingSpec[]): boolean {
    const saved = this.#store.load();
    if (saved === null || this.#context === null) return false;
    derivation.restoreContext(structuredClone(this.#context));
    const byId = new Map(saved.bindings.map((binding) => [binding.id, binding]));
    for (const spec of specs) {
      const own = byId.get(spec.id);
      if (own === undefined) return false;
      derivation.restore(spec, own);
    }
    derivation.tick(this.#watermark);
    for (const what of this.since) what(derivation);
    return true;
  }
}
