import type { Micros } from "@lineshaft/contract/api";
import { nowUs } from "../feed.ts";
import { call } from "../platform.ts";
import { useLoaded } from "../use.ts";
import { recordingOf } from "./values.ts";

export const spans = ["day", "week", "month"] as const;
export type Span = (typeof spans)[number];
const dayUs = 86_400_000_000;
const spanUs: Record<Span, Micros> = { day: dayUs, week: 7 * dayUs, month: 30 * dayUs };
const pointsMax = 200_000;
/** Different values that are judged. */
const valuesMax = 5_000;

/** The different values that a tag had in a while, the most frequent first. */
export function useRecording(tag: number, span: Span) {
  return useLoaded(`seen ${tag} ${span}`, async () => {
    const to = nowUs();
    const query = { tag: [tag], from: to - spanUs[span], to, limit: pointsMax };
    return recordingOf(await call("rawHistory", { query }), valuesMax);
  });
}
