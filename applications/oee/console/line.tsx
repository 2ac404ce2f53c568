import { hourUs, type Micros } from "@lineshaft/contract/api";
import { itemAt, type PageContext, type TimeLane, TimeLanes, useLoaded } from "@lineshaft/ui/kit";
import { useMemo, useState } from "react";
import { Legend } from "./legend.tsx";
import { constraintOf, planPerBucket } from "./line-model.ts";
import { bucketOf, storyOf } from "./machine-chart.ts";
import { KpiPanel } from "./numbers.tsx";
import { PlaceFrame, PlacePage, type PlaceProps } from "./place-page.tsx";
import type { Line } from "./plant.ts";
import { moved, readingOf, useView, type View } from "./range.ts";
import { cellsIn, cellsTogether, eachOf, type MachineData, numbersOf, readMachine, shiftAt } from "./source.ts";
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
    (signal) => eachOf(line.machines, (machine) => readMachine(context.platform, machine.id, reading, signal)),
    refreshMs,
  );
  const read = useKept(String(id), loaded.data);
  const format = read?.[0] === undefined ? context.format : context.formatIn(read[0].cells.timeZone);
  const shift = read?.[0] === undefined ? null : (shiftAt(read[0].shifts, nowUs) ?? null);
  return (
    <PlaceFrame {...{ ...place, view, shift, format, loaded, onView: setView }} places="lines" words={t("wait.line")}>
      {read === null ? null : (
        <LineTime {...{ line, read, view, onView: setView, context: { ...context, format }, t }} />
      )}
    </PlaceFrame>
  );
}

function LineTime(props: {
  line: Line;
  read: readonly MachineData[];
  view: View;
  onView(next: View): void;
  context: PageContext;
  t: Say;
}) {
  const { line, read, view, onView, context, t } = props;
  const { format } = context;
  const [cursorUs, setCursor] = useState<Micros | null>(null);
  const target = useTarget(context, line.equipment.id);
  const nowUs = context.nowUs();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a reading brings its own now
  const stories = useMemo(() => read.map((data, i) => storyOf(data, line.machines[i].id, nowUs)), [read, line]);
  const data = new Map(line.machines.map((machine, i) => [machine.id, read[i]]));
  const constraint = constraintOf(line, data);
  const atUs = Math.min(cursorUs ?? nowUs, view.range.toUs - 1);
  const states = line.machines.map((machine, i): TimeLane => {
    const { pieces, said } = stories[i];
    const piece = itemAt(pieces, Math.min(atUs, (pieces.at(-1)?.toUs ?? 1) - 1));
    const mark = constraint?.id === machine.id ? `  ▸ ${t(`line.${constraint.said}`)}` : "";
    return {
      kind: "blocks",
      id: String(machine.id),
      label: `${machine.name}${mark}`,
      note: piece === undefined ? "" : pieceText(piece, said.reasons, t, context.locale),
      items: stateItems(pieces, (one) => pieceText(one, said.reasons, t, context.locale)),
      selectable: true,
    };
  });
  const last = Math.max(
    0,
    line.machines.findIndex((machine) => machine.id === line.output),
  );
  const bucket = Math.max(hourUs, bucketOf(view.range));
  const bars = countBars(read[last].facts, view.range, bucket, ({ fromUs, value, bad }) =>
    t("machine.counts.bar", { from: format.time(fromUs), n: value, bad }),
  );
  const plan = planPerBucket(read[last], view.range, bucket);
  const orders = orderItems(stories[last].executions, (one) => [one.order, one.material].filter(Boolean).join(" · "));
  const lanes: TimeLane[] = [
    {
      kind: "blocks",
      id: "order",
      label: t("machine.lane.order"),
      note: itemAt(orders, atUs)?.label,
      items: orders,
      size: "low",
    },
    ...states,
    {
      kind: "bars",
      id: "counts",
      label: t("line.counts", { name: line.machines[last].name, time: format.duration(bucket) }),
      note:
        bars.find(({ fromUs, toUs }) => fromUs <= atUs && atUs < toUs)?.title ??
        (plan === null ? t("line.noPlan") : t("line.plan", { n: Math.round(plan) })),
      bars,
      target: plan,
    },
  ];
  const cells = cellsTogether(read.map((one) => cellsIn(one, view.range)));
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
        {cells !== null && (
          <KpiPanel title={t("machine.numbers")} numbers={numbersOf(cells)} target={target} context={context} t={t} />
        )}
      </aside>
    </div>
  );
}
