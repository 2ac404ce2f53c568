import type { ConditionTrial, ConditionTrialRequest } from "@lineshaft/contract/api";
import { useEffect, useState } from "react";
import { call } from "../platform.ts";

/** Between two strokes nobody needs an answer. */
const settleMs = 250;

export interface Tried {
  trial: ConditionTrial | null;
  /** What the trial was of: places in it are those of the conditions that were asked about. */
  of: readonly string[];
  error: unknown;
}

const nothing: Tried = { trial: null, of: [], error: null };

/** What the server, which alone asks conditions, says of them as they stand; the last answer stays until there is a newer one. */
export function useTrial(
  conditions: readonly string[],
  types: ConditionTrialRequest["types"],
  samples: ConditionTrialRequest["samples"],
): Tried {
  const [tried, setTried] = useState<Tried>(nothing);
  const request = JSON.stringify({ conditions, types, samples });
  useEffect(() => {
    const body = JSON.parse(request) as ConditionTrialRequest;
    if (body.conditions.length === 0) {
      setTried(nothing);
      return;
    }
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      call("tryConditions", { body, signal: abort.signal }).then(
        (trial) => setTried({ trial, of: body.conditions, error: null }),
        (error: unknown) => {
          if (!abort.signal.aborted) setTried((old) => ({ ...old, error }));
        },
      );
    }, settleMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [request]);
  return tried;
}

/** What is wrong with a condition as it stands; null: nothing, or nobody has looked yet. */
export function faultIn({ trial, of }: Tried, condition: string): { at: number; message: string } | null {
  const row = of.indexOf(condition);
  return row === -1 ? null : (trial?.faults.find((fault) => fault.row === row) ?? null);
}
