import type { Binding, BindingSpec } from "./binding.ts";

/**
 * Machines whose stops are told by an ideal cycle and that tell themselves what they work at: when they tell something else, their ideal cycles are looked at again.
 */
export class Speakers {
  /** What of its identifiers had been taken in when an equipment was last looked at. */
  readonly #seen = new Map<number, string>();
  /** How often the past of a binding was repaired. */
  readonly #repaired = new WeakMap<Binding, number>();

  /** What tags mean now; all that speak are looked at again. */
  listen(specs: readonly Pick<BindingSpec, "role" | "equipment">[]): void {
    this.#seen.clear();
    const pulsed = new Set(specs.filter(({ role }) => role === "pulse").map(({ equipment }) => equipment));
    for (const { role, equipment } of specs)
      if (role === "identifier" && pulsed.has(equipment)) this.#seen.set(equipment, "");
  }

  repaired(binding: Binding): void {
    this.#repaired.set(binding, (this.#repaired.get(binding) ?? 0) + 1);
  }

  /** Those that may have told something else since the last call. */
  toldOtherwise(bindingsOf: (equipment: number) => readonly Binding[]): number[] {
    const told: number[] = [];
    for (const [equipment, before] of this.#seen) {
      const marks = bindingsOf(equipment).flatMap((binding) => {
        const { spec, track } = binding;
        if (spec.role !== "identifier") return [];
        return [this.#repaired.get(binding) ?? 0, track.segments.length, track.open.hour, track.open.transitions.n];
      });
      const now = marks.join();
      if (now === before) continue;
      this.#seen.set(equipment, now);
      told.push(equipment);
    }
    return told;
  }
}
