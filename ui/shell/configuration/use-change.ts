import type { Configuration, ConfigurationRevision, Plan } from "@lineshaft/contract/api";
import { useCallback, useEffect, useRef, useState } from "react";
import { reloadDirectory } from "../directory.ts";
import { isCode } from "../problem.tsx";
import { apply, newestRevision, planFor, readConfiguration, type Wanted } from "./service.ts";

/** What somebody wants to change: made from the configuration as it is now, so that it can be made again when that has changed. */
export type Edit = (current: Configuration) => Wanted | Promise<Wanted>;

export type Change =
  | { state: "planning" }
  | {
      state: "planned" | "applying";
      plan: Plan;
      wanted: Wanted;
      /** Somebody else's change that came in between: the plan was made anew on top of it. */
      overtaken: ConfigurationRevision | null;
    }
  | { state: "failed"; error: unknown }
  | { state: "done"; revision: number; plan: Plan };

/** The configuration must hold still while a plan is made; so often is it tried. */
const attempts = 4;

async function prepare(edit: Edit): Promise<{ plan: Plan; wanted: Wanted }> {
  for (let attempt = 1; ; attempt++) {
    const { configuration, revision } = await readConfiguration();
    const wanted = await edit(configuration);
    const plan = await planFor(wanted);
    if (plan.revision === revision || attempt === attempts) return { plan, wanted };
  }
}

/**
 * A change from the wish to its plan and through it. Nothing is applied that was not shown: had the configuration changed since the plan was made, the
 * plan is made again and shown once more.
 */
export function useChange(edit: Edit, key: string): Change & { apply(): Promise<boolean>; again(): void } {
  const [change, setChange] = useState<Change>({ state: "planning" });
  const [round, setRound] = useState(0);
  const latest = useRef(edit);
  latest.current = edit;
  const alive = useRef(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says that the wish is another, `round` that it is tried again
  useEffect(() => {
    const turn = ++alive.current;
    setChange({ state: "planning" });
    prepare(latest.current)
      .then((prepared) => {
        if (turn === alive.current) setChange({ state: "planned", ...prepared, overtaken: null });
      })
      .catch((error: unknown) => {
        if (turn === alive.current) setChange({ state: "failed", error });
      });
    return () => {
      alive.current++;
    };
  }, [key, round]);

  /** True when it is in force. */
  const run = async (): Promise<boolean> => {
    if (change.state !== "planned") return false;
    const { plan, wanted, overtaken } = change;
    setChange({ state: "applying", plan, wanted, overtaken });
    try {
      const revision = await apply(wanted, plan.revision);
      setChange({ state: "done", revision, plan });
      await reloadDirectory();
      return true;
    } catch (error) {
      if (!isCode(error, "revision_conflict")) {
        setChange({ state: "failed", error });
        return false;
      }
      try {
        const [prepared, newest] = await Promise.all([prepare(latest.current), newestRevision()]);
        setChange({ state: "planned", ...prepared, overtaken: newest });
      } catch (again) {
        setChange({ state: "failed", error: again });
      }
      return false;
    }
  };
  const again = useCallback(() => setRound((n) => n + 1), []);
  return { ...change, apply: run, again };
}
