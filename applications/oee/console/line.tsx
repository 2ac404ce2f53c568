import { hourUs, type Micros, type Reason } from "@lineshaft/contract/api";
import { itemAt, type PageContext, type TimeLane, TimeLanes, useLoaded } from "@lineshaft/ui/kit";
import { useMemo, useState } from "react";
import { Legend } from "./legend.tsx";
import { busyIn, type LineData, numbersIn, readLine } from "./line-data.ts";
import { constraintOf, planPerBucket } from "./line-model.ts";
import { bucketOf, type Story, storyOf } from "./machine-chart.ts";
import { KpiPanel } from "./numbers.tsx";
import { PlaceFrame, PlacePage, type PlaceProps } from "./place-page.tsx";
import type { Line } from "./plant.ts";
import { moved, readingOf, useOpening, useView, type View } from "./range.ts";
import { shiftAt } from "./source.ts";
import { useTarget } from "./target.ts";
import { pieceText, type Say } from "./texts.ts";
import { countBars, orderItems, stateItems } from "./timeline.ts";
import { useKept } from "./use-plant.ts";

const refreshMs = 10_000;

/** What holds this line back? */
export default function LinePage({ context }: { context: PageContext }) {
  return <PlacePage context={context} places="lines" gone="line.gone" Body={LineBody} />;
}

function LineBody(place: PlaceProps) {
  const { id, plant, context, t } = place;
  const line = plant.sites.flatMap(({ lines }) => lines).find(({ equipment }) => equipment.id === id) as Line;
  const [view, setView] = useView(context);
  const nowUs = context.nowUs();
  const reading = readingOf(view.range);
  const loaded = useLoaded(
    `${id} ${reading.fromUs} ${reading.toUs}`,
    (signal) => readLine(context.platform, line, reading, signal),
    refreshMs,
  );
  const read = useKept(String(id), loaded.data);
  // The stories grow with now once a reading, not once a second.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a reading brings its own now
  const stories = useMemo(() => (read === null ? null : storiesOf(read, plant.reasons, nowUs)), [read, plant.reasons]);
  const spans = stories === null ? null : [...stories.values()].flatMap((story) => story.spans);
  const heard = read === null ? [] : [...read.timelines.values()].flatMap(({ watermarkUs }) => watermarkUs ?? []);
  useOpening(
    context,
    view,
    setView,
    spans?.filter(({ itemState }) => itemState !== null).sort((a, b) => a.fromUs - b.fromUs) ?? null,
    heard.length === 0 ? null : Math.max(...heard),
  );
  const format = read === null ? context.format : context.formatIn(read.cells.timeZone);
  const shift = shiftAt(read?.timelines.get(line.output)?.shifts ?? [], nowUs) ?? null;
  return (
    <PlaceFrame {...{ ...place, view, shift, format, loaded, onView: setView }} places="lines" words={t("wait.line")}>
      {read === null || stories === null ? null : (
        <LineTime {...{ line, read, stories, view, onView: setView, context: { ...context, format }, t }} />
      )}
    </PlaceFrame>
  );
}

function storiesOf(
  { timelines }: LineData,
  reasons: ReadonlyMap<number, Reason>,
  nowUs: Micros,
): ReadonlyMap<number, Story> {
  return new Map(
    [...timelines].map(([id, timeline]) => {
      const { shifts, executions, annotations } = timeline;
      return [id, storyOf({ facts: timeline, shifts, executions, annotations, reasons }, nowUs)];
    }),
  );
}

function LineTime(props: {
  line: Line;
  read: LineData;
  stories: ReadonlyMap<number, Story>;
  view: View;
  onView(next: View): void;
  context: PageContext;
  t: Say;
}) {
  const { line, read, stories, view, onView, context, t } = props;
  const { format } = context;
  const [cursorUs, setCursor] = useState<Micros | null>(null);
  const target = useTarget(context, line.equipment.id);
  const nowUs = context.nowUs();
  const constraint = constraintOf(line, busyIn(read, view.range));
  const atUs = Math.min(cursorUs ?? nowUs, view.range.toUs - 1);
  // What is told ends where it was read; now has gone on since.
  const lastUs = (stories.get(line.output)?.pieces.at(-1)?.toUs ?? nowUs) - 1;
  const states = line.machines.flatMap((machine): TimeLane[] => {
    const story = stories.get(machine.id);
    if (story === undefined) return [];
    const { pieces, said } = story;
    const piece = itemAt(pieces, Math.min(atUs, (pieces.at(-1)?.toUs ?? 1) - 1));
    const mark = constraint?.id === machine.id ? `  ▸ ${t(`line.${constraint.said}`)}` : "";
    return [
      {
        kind: "blocks",
        id: String(machine.id),
        label: `${machine.name}${mark}`,
        note: piece === undefined ? "" : pieceText(piece, said.reasons, t, context.locale),
        items: stateItems(pieces, (one) => pieceText(one, said.reasons, t, context.locale)),
        selectable: true,
      },
    ];
  });
  const output = line.machines.find(({ id }) => id === line.output) ?? line.machines[0];
  const bucket = Math.max(hourUs, bucketOf(view.range));
  const bars = countBars(read.made, view.range, bucket, ({ fromUs, value, bad }) =>
    t("machine.counts.bar", { from: format.part(fromUs, "min"), n: value, bad }),
  );
  const plan = planPerBucket(read.cells, view.range, bucket);
  const orders = orderItems(stories.get(output.id)?.executions ?? [], (one) =>
    [one.order, one.material].filter(Boolean).join(" · "),
  );
  const lanes: TimeLane[] = [
    {
      kind: "blocks",
      id: "order",
      label: t("machine.lane.order"),
      note: itemAt(orders, Math.min(atUs, lastUs))?.label ?? t("machine.noOrder"),
      items: orders,
      size: "low",
    },
    ...states,
    {
      kind: "bars",
      id: "counts",
      label: t("line.counts", { name: output.name, time: format.duration(bucket) }),
      note:
        bars.find(({ fromUs, toUs }) => fromUs <= atUs && atUs < toUs)?.title ??
        (plan === null ? t("line.noPlan") : t("line.plan", { n: Math.round(plan) })),
      bars,
      target: plan,
    },
  ];
  const numbers = numbersIn(read, view.range);
  return (
    <div className="machine-body">
      <div className="machine-time">
        <TimeLanes
          label={t("line.lanes", { name: line.equipment.name })}
          lanes={lanes}
          range={view.range}
          untilUs={nowUs}
          format={format}
          cursorUs={cursorUs}
          selection={null}
          onCursor={setCursor}
          onRange={(range, how) => onView(moved(view, range, how, nowUs))}
          onSelect={(machine, range) => {
            // A block with as much before and after it as it is long, so that the stop is seen where it stands.
            const span = Math.max(600e6, range.toUs - range.fromUs);
            context.go("machine", {
              id: machine,
              from: Math.round(range.fromUs - span),
              to: Math.round(range.toUs + span),
            });
          }}
        />
        <p className="oee-hint">
          {t("line.hint")} {constraint?.said === "observed" && t("line.observedHint")}
        </p>
        <Legend t={t} />
      </div>
      <aside className="machine-side">
        {numbers === null ? (
          <p className="oee-hint">{t("oee.notPublished")}</p>
        ) : (
          <KpiPanel title={t("machine.numbers")} numbers={numbers} target={target} context={context} t={t} />
        )}
      </aside>
    </div>
  );
}
