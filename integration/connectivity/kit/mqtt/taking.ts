import { Type } from "typebox";

/** Sources that tell their tags themselves: all of them are taken, or only those that somebody has listed. */
export const TakeSchema = Type.Enum(["all", "listed"], {
  default: "all",
  description:
    "`all`: everything that comes; tags of the configuration say more of it. `listed`: only the tags of the configuration.",
});

/** The addresses to take; null: all. A tag that is given a place or a unit must not silence its neighbours. */
export function takenOf(take: "all" | "listed", bindings: readonly { address: string }[]): ReadonlySet<string> | null {
  return take === "all" ? null : new Set(bindings.map(({ address }) => address));
}
