import { type Executions, type Micros, minuteUs } from "@lineshaft/contract/api";
import { itemAt, type PageContext, spanOf, type TimeLane, type TimeRange } from "@lineshaft/ui/kit";
import { alarmItems, alarmPieces } from "./alarm-lane.ts";
import type { MachineData } from "./source.ts";
import type { Say } from "./texts.ts";
import { pieceText, stateWord } from "./texts.ts";
import {
  countBars,
  type Execution,
  executionsUntil,
  orderItems,
  piecesOf,
  type Said,
  type Span,
  type StatePiece,
  shiftItems,
  spansOf,
  stateItems,
  type Told,
} from "./timeline.ts";

/** Widths of count bars: parts of an hour that the eye knows, then hours. */
const buckets = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].map((minutes) => minutes * minuteUs);
const barsMax = 48;

export const bucketOf = (range: TimeRange): number =>
  buckets.find((width) => spanOf(range) / width <= barsMax) ?? buckets[buckets.length - 1];

/** A machine's time, made ready to be drawn. */
export interface Story {
  spans: Span[];
  pieces: StatePiece[];
  executions: Execution[];
  said: Said;
}

/** What a story is made of. */
export interface StoryParts extends Omit<Said, "executions"> {
  facts: Told;
  executions: Executions["executions"];
}

export function storyOf({ facts, executions: ran, ...others }: StoryParts, nowUs: Micros): Story {
  const spans = spansOf(facts, nowUs);
  const executions = executionsUntil(ran, nowUs);
  const said: Said = { ...others, executions };
  return { spans, pieces: piecesOf(spans, said), executions, said };
}

/** The lanes of one machine, with what holds at the cursor (or now) behind their names. */
export function machineLanes(
  story: Story,
  data: MachineData,
  view: { range: TimeRange; atUs: Micros },
  { t, context, format }: { t: Say; context: PageContext; format: PageContext["format"] },
): TimeLane[] {
  const { pieces, executions, said } = story;
  const { range, atUs } = view;
  const pieceNow = itemAt(pieces, atUs);
  const states = stateItems(pieces, (piece) => pieceText(piece, said.reasons, t, context.locale));
  const orders = orderItems(executions, (one) =>
    [one.order, one.material, one.told ? t("machine.told") : null].filter(Boolean).join(" · "),
  );
  const shifts = shiftItems(said.shifts, t("machine.break"));
  const bucket = bucketOf(range);
  const bars = countBars(data.facts, range, bucket, ({ fromUs, value, bad }) =>
    t("machine.counts.bar", { from: format.time(fromUs), n: value, bad }),
  );
  const stateNote =
    pieceNow === undefined
      ? ""
      : `${[...new Set([stateWord(t, pieceNow.state), pieceText(pieceNow, said.reasons, t, context.locale)])].join(" · ")} · ${format.time(pieceNow.fromUs)} (${format.duration(Math.min(pieceNow.toUs, atUs > pieceNow.toUs ? pieceNow.toUs : Math.max(atUs, pieceNow.toUs)) - pieceNow.fromUs)})`;
  const alarms = alarmItems(alarmPieces(data.facts, context.nowUs(), context.locale), (n) =>
    t("machine.alarms.more", { n }),
  );
  const barNow = bars.find(({ fromUs, toUs }) => fromUs <= atUs && atUs < toUs);
  return [
    {
      kind: "blocks",
      id: "state",
      label: t("machine.lane.state"),
      note: stateNote,
      items: states,
      size: "tall",
      selectable: true,
    },
    // A machine without alarm tags has no such lane.
    ...(data.facts.alarms.time.length === 0
      ? []
      : [
          {
            kind: "blocks" as const,
            id: "alarms",
            label: t("machine.lane.alarms"),
            note: itemAt(alarms, atUs)?.label ?? t("machine.alarms.none"),
            items: alarms,
          },
        ]),
    {
      kind: "blocks",
      id: "order",
      label: t("machine.lane.order"),
      note: itemAt(orders, atUs)?.label ?? t("machine.noOrder"),
      items: orders,
    },
    {
      kind: "blocks",
      id: "shift",
      label: t("machine.lane.shift"),
      note: itemAt(shifts, atUs)?.label,
      items: shifts,
      size: "low",
    },
    {
      kind: "bars",
      id: "counts",
      label: `${t("machine.lane.counts")} ${t("machine.counts.per", { time: format.duration(bucket) })}`,
      note: barNow?.title,
      bars,
      target: null,
    },
  ];
}
