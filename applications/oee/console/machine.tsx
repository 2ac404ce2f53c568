import type { Annotation, Micros, RawTag, Recorded } from "@lineshaft/contract/api";
import { itemAt, type PageContext, StateMark, TimeLanes, type TimeRange, useLoaded } from "@lineshaft/ui/kit";
import { useMemo, useState } from "react";
import { machineLanes, storyOf } from "./machine-chart.ts";
import { KpiPanel } from "./numbers.tsx";
import { PlaceFrame, PlacePage, type PlaceProps } from "./place-page.tsx";
import { moved, readingOf, useOpening, useView } from "./range.ts";
import { cellsIn, type MachineData, numbersOf, readMachine, shiftAt } from "./source.ts";
import { StopDialog, type StopNote } from "./stop-dialog.tsx";
import { StopTable } from "./stop-table.tsx";
import { useTarget } from "./target.ts";
import { pieceText, type Say, stateWord } from "./texts.ts";
import { stopRows, stopsOf } from "./timeline.ts";
import { useKept } from "./use-plant.ts";

const refreshMs = 10_000;

/** What is it doing, what has it done, why? */
export default function MachinePage({ context }: { context: PageContext }) {
  return <PlacePage context={context} places="machines" gone="machine.gone" Body={Machine} />;
}

function Machine(place: PlaceProps) {
  const { id, plant, context, t } = place;
  const [view, setView] = useView(context);
  const [cursorUs, setCursor] = useState<Micros | null>(() => Number(context.query.get("cursor")) || null);
  const [note, setNote] = useState<StopNote | null>(null);
  const [sent, setSent] = useState<readonly Recorded<Annotation>[]>([]);
  const target = useTarget(context, id);
  const nowUs = context.nowUs();
  const reading = readingOf(view.range);
  const loaded = useLoaded(
    `${id} ${reading.fromUs} ${reading.toUs}`,
    (signal) => readMachine(context.platform, id, reading, signal),
    refreshMs,
  );
  const read = useKept(String(id), loaded.data);
  const format = read === null ? context.format : context.formatIn(read.cells.timeZone);
  // What was just said stands at once, until it is read back.
  const data = useMemo(() => (read === null ? null : withSent(read, sent)), [read, sent]);
  // The story grows with now once a reading, not once a second.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a reading brings its own now
  const story = useMemo(() => (data === null ? null : storyOf(data, nowUs)), [data]);

  useOpening(
    context,
    view,
    setView,
    story === null ? null : story.spans.filter(({ itemState }) => itemState !== null),
    data?.facts.watermarkUs ?? null,
  );

  const shift = data === null ? null : (shiftAt(data.shifts, nowUs) ?? null);
  const frame = {
    ...{ ...place, view, shift, format, loaded, onView: setView },
    ...{ places: "machines" as const, words: t("wait.machine") },
  };
  if (data === null || story === null) return <PlaceFrame {...frame}>{null}</PlaceFrame>;

  const atUs = cursorUs ?? Math.min(nowUs, view.range.toUs - 1);
  const lanes = machineLanes(
    story,
    data,
    { range: view.range, atUs: Math.min(atUs, lastOf(story.pieces)) },
    { t, context, format },
  );
  const rows = stopRows(story.spans, story.pieces, story.said, 0).filter(
    ({ fromUs, toUs }) => toUs > view.range.fromUs && fromUs < view.range.toUs,
  );
  const numbers = numbersOf(cellsIn(data, view.range));
  const present = story.pieces.at(-1);
  const order = itemAt(story.executions, Math.min(nowUs, lastOf(story.pieces)));

  const select = (range: TimeRange, how: "block" | "drag"): void => {
    const stop = stopsOf(story.spans).find(({ fromUs, toUs }) => fromUs < range.toUs && toUs > range.fromUs);
    if (stop === undefined || !context.may("book")) {
      context.note(t(stop === undefined ? "stop.noStop" : "stop.notAllowed"));
      return;
    }
    const inside = { fromUs: Math.max(stop.fromUs, range.fromUs), toUs: Math.min(stop.toUs, range.toUs) };
    setNote({ stop, part: how === "drag" ? rounded(inside) : null });
  };
  const before =
    note === null
      ? null
      : (data.annotations.findLast(({ item }) => item.kind === "reason" && within(item.anchorUs, note.stop)) ?? null);
  const save = async (said: {
    kind: "reason" | "split";
    range: TimeRange;
    reason: number;
    text: string;
  }): Promise<void> => {
    setNote(null);
    const changed = said.kind === "reason" ? before : null;
    const { fromUs, toUs } = said.range;
    const anchorUs = changed?.item.anchorUs ?? Math.round((fromUs + toUs) / 2);
    const item: Annotation = {
      equipmentId: id,
      kind: said.kind,
      anchorUs,
      fromUs,
      toUs,
      reason: said.reason,
      text: said.text,
    };
    const newId = `${id}-${said.kind}-${anchorUs}-${Math.floor(Math.random() * 1e9).toString(36)}`;
    const optimistic = { id: changed?.id ?? newId, revision: Number.MAX_SAFE_INTEGER, changedUs: nowUs, item };
    setSent((all) => [...all, optimistic]);
    try {
      await context.platform.call("putAnnotation", {
        params: { id: optimistic.id },
        body: item,
        ...(changed === null ? {} : { revision: changed.revision }),
      });
      context.note(t("stop.saved", { reason: data.reasons.get(said.reason)?.name[context.locale] ?? said.reason }));
      loaded.reload();
    } catch (error) {
      context.fault(error, t("stop.failed"));
      loaded.reload();
    } finally {
      setSent((all) => all.filter((one) => one !== optimistic));
    }
  };

  return (
    <PlaceFrame {...frame}>
      <header className="machine-head">
        {present !== undefined && (
          <p className="machine-now" data-state={present.state}>
            <StateMark state={present.state} />
            <b>{pieceText(present, data.reasons, t, context.locale)}</b>
            {pieceText(present, data.reasons, t, context.locale) !== stateWord(t, present.state) && (
              <span>{stateWord(t, present.state)}</span>
            )}
            <span>{t("machine.since", { time: format.duration(Math.max(0, nowUs - present.fromUs)) })}</span>
          </p>
        )}
        <p className="machine-order">
          {order === undefined ? t("machine.noOrder") : [order.order, order.material].filter(Boolean).join(" · ")}
        </p>
      </header>
      {data.cells.repairing && <p className="oee-notice">{t("machine.repairing")}</p>}
      {data.shifts.length === 0 && <p className="oee-notice">{t("machine.noCalendar")}</p>}
      <div className="machine-body">
        <div className="machine-time">
          <TimeLanes
            label={t("machine.lanes", { name: plant.equipment.find((item) => item.id === id)?.name ?? "" })}
            lanes={lanes}
            range={view.range}
            untilUs={nowUs}
            format={format}
            cursorUs={cursorUs}
            selection={note === null ? null : { lane: "state", range: note.part ?? note.stop }}
            onCursor={setCursor}
            onRange={(range, how) => setView(moved(view, range, how, nowUs))}
            onSelect={(_, range, how) => select(range, how)}
          />
          <p className="oee-hint">{t("machine.lanesHint")}</p>
          <Values
            id={id}
            view={view}
            cursorUs={cursorUs}
            onCursor={setCursor}
            onView={setView}
            context={{ ...context, format }}
            t={t}
          />
        </div>
        <aside className="machine-side">
          <KpiPanel
            title={t("machine.numbers")}
            numbers={numbers}
            target={target}
            context={{ ...context, format }}
            t={t}
          />
        </aside>
      </div>
      {data.cells.orphanedAnnotations.length > 0 && (
        <p className="oee-notice">
          {t("machine.orphaned", { n: data.cells.orphanedAnnotations.length })}{" "}
          {data.annotations
            .filter((one) => data.cells.orphanedAnnotations.includes(one.id))
            .map(({ item }) => `${format.dateTime(item.anchorUs)} ${item.text}`)
            .join(" · ")}
        </p>
      )}
      <StopTable
        id={id}
        rows={rows}
        reasons={data.reasons}
        context={context}
        format={format}
        t={t}
        onShow={(row) => setCursor(row.fromUs)}
        onSay={context.may("book") ? ({ fromUs, toUs }) => setNote({ stop: { fromUs, toUs }, part: null }) : null}
      />
      {note !== null && (
        <StopDialog
          note={note}
          reasons={data.reasons}
          before={before}
          context={context}
          format={format}
          t={t}
          onSave={(said) => void save(said)}
          onClose={() => setNote(null)}
        />
      )}
    </PlaceFrame>
  );
}

const within = (us: Micros, { fromUs, toUs }: TimeRange): boolean => fromUs <= us && us < toUs;
const lastOf = (pieces: readonly TimeRange[]): Micros => (pieces.at(-1)?.toUs ?? 1) - 1;
/** A hand draws to the second. */
const rounded = ({ fromUs, toUs }: TimeRange): TimeRange => ({
  fromUs: Math.round(fromUs / 1e6) * 1e6,
  toUs: Math.max(Math.round(fromUs / 1e6) * 1e6 + 1e6, Math.round(toUs / 1e6) * 1e6),
});

function withSent(data: MachineData, sent: readonly Recorded<Annotation>[]): MachineData {
  if (sent.length === 0) return data;
  const replaced = new Set(sent.map(({ id }) => id));
  return { ...data, annotations: [...data.annotations.filter(({ id }) => !replaced.has(id)), ...sent] };
}

/** Values shown unasked, and at most. */
const valuesShown = 2;
const valuesMax = 6;

function Values(props: {
  id: number;
  view: { range: TimeRange; following: boolean };
  cursorUs: Micros | null;
  onCursor(us: Micros | null): void;
  onView(next: { range: TimeRange; following: boolean }): void;
  context: PageContext;
  t: Say;
}) {
  const { id, view, context, t } = props;
  const tags = useLoaded(`values ${id}`, async (signal): Promise<RawTag[]> => {
    const { items } = await context.platform.call("listTags", { query: { equipmentId: id, limit: 1000 }, signal });
    const values = await context.platform.call("lastValues", {
      query: { tag: items.slice(0, 200).map((tag) => tag.id) },
      signal,
    });
    // Measured values: counters and states have lanes of their own.
    const types = new Map(values.items.map(({ tag, type }) => [tag, type]));
    const measured = items.filter(
      ({ id: tag, unit }) => types.get(tag) === "double" || (types.get(tag) === "int64" && unit !== null),
    );
    // What has a unit is measured; the rest may be codes that happen to be numbers.
    return [...measured.filter(({ unit }) => unit !== null), ...measured.filter(({ unit }) => unit === null)];
  });
  if (tags.data === null)
    return tags.error === null ? (
      <p className="quiet-wait">{t("wait.machine")}</p>
    ) : (
      <context.Problem error={tags.error} />
    );
  const asked = context.query.get("tags");
  const chosen =
    asked === null
      ? tags.data.slice(0, valuesShown).map((tag) => tag.id)
      : asked
          .split(",")
          .map(Number)
          .filter((tag) => tags.data?.some((one) => one.id === tag));
  const choose = (tag: number): void => {
    const next = chosen.includes(tag) ? chosen.filter((one) => one !== tag) : [...chosen, tag].slice(-valuesMax);
    context.go(context.page, { ...Object.fromEntries(context.query), tags: next.join(",") || "0" }, "replace");
  };
  return (
    <section className="machine-values" aria-label={t("machine.values")}>
      <h2>{t("machine.values")}</h2>
      {tags.data.length === 0 && <p>{t("machine.values.none")}</p>}
      <div className="chips">
        {tags.data.map((tag) => (
          <button
            key={tag.id}
            type="button"
            className="chip"
            aria-pressed={chosen.includes(tag.id)}
            onClick={() => choose(tag.id)}
          >
            {tag.name ?? tag.address}
          </button>
        ))}
      </div>
      {chosen.length > 0 && (
        <context.Trend
          tags={chosen}
          range={view.range}
          following={view.following}
          format={context.format}
          cursorUs={props.cursorUs}
          onCursor={props.onCursor}
          onRange={(range, how) => props.onView(moved(view, range, how, context.nowUs()))}
        />
      )}
    </section>
  );
}
