import { formatTimeUs, type Micros, parseTimeUs, qualityOf, type RawTag } from "@lineshaft/contract/api";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import {
  Button,
  decimalsOf,
  EmptyState,
  formatStatus,
  Picker,
  QualityMark,
  spanOf,
  type TimeRange,
  unitText,
} from "../../kit/index.ts";
import { TrendChart } from "../../kit/trend-chart.tsx";
import { shortPlace, tagName, tagPlace, useDirectory, useTagsById } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { FirstBatch } from "../first-batch.tsx";
import { fmt, t } from "../i18n.ts";
import { useTagSearch } from "../overlays.tsx";
import { ProblemView } from "../problem.tsx";
import { go, usePlace } from "../router.ts";
import { TrendModel, trendTagsMax } from "../trend-model.ts";
import { TrendToolbar } from "./trend-toolbar.tsx";

const standardSpanUs = 15 * 60_000_000;
const urlSettleMs = 300;

/** The view as the URL holds it: `live=900` (seconds), or `from` and `to`; `cursor` where it is pinned. */
function viewOf(query: URLSearchParams): { range: TimeRange; live: boolean; cursor: Micros | null } {
  const from = parseTimeUs(query.get("from") ?? "");
  const to = parseTimeUs(query.get("to") ?? "");
  const cursor = parseTimeUs(query.get("cursor") ?? "");
  if (from !== null && to !== null && from < to) return { range: { fromUs: from, toUs: to }, live: false, cursor };
  const seconds = Number(query.get("live") ?? Number.NaN);
  const span = seconds > 0 ? Math.round(seconds * 1e6) : standardSpanUs;
  const now = nowUs();
  return { range: { fromUs: now - span, toUs: now }, live: true, cursor };
}

const shortTime = (us: Micros): string => formatTimeUs(us).replace(/\.?0+Z$/, "Z");

const idsOf = (text: string | null): number[] =>
  [
    ...new Set(
      (text ?? "")
        .split(",")
        .map(Number)
        .filter((id) => Number.isInteger(id) && id > 0),
    ),
  ].slice(0, trendTagsMax);

export function TrendsPage() {
  const { query } = usePlace();
  const tagsText = query.get("tags") ?? "";
  const ids = useMemo(() => idsOf(tagsText), [tagsText]);
  const { tagById, settled } = useTagsById(ids);
  const first = useRef(viewOf(query));
  const [model] = useState(() => {
    const made = new TrendModel(first.current.range, first.current.live);
    if (first.current.cursor !== null) made.cursor = { us: first.current.cursor, pinned: true };
    return made;
  });
  useSyncExternalStore(model.subscribe, model.version);

  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  const tags = useMemo(
    () => ids.map((id) => tagById.get(id)).filter((tag): tag is RawTag => tag !== undefined),
    [ids, tagById],
  );
  useEffect(() => model.setTags(tags), [model, tags]);

  // The URL follows the view once it rests. An arrival by link or by the back button sets the view instead.
  const written = useRef("");
  const setIds = useCallback(
    (next: readonly number[]) => go("trends", { ...urlOf(model), tags: next.join(",") }, "replace"),
    [model],
  );
  const url = urlOf(model);
  const urlText = JSON.stringify(url);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      written.current = urlText;
      go("trends", { tags: tagsText, ...(JSON.parse(urlText) as object) }, "replace");
    }, urlSettleMs);
    return () => clearTimeout(timer);
  }, [urlText, tagsText]);
  useEffect(() => {
    const arrived = (): void => {
      const view = viewOf(new URLSearchParams(location.search));
      model.cursor = view.cursor === null ? null : { us: view.cursor, pinned: true };
      if (view.live) model.follow(spanOf(view.range));
      else model.show(view.range);
    };
    addEventListener("popstate", arrived);
    return () => removeEventListener("popstate", arrived);
  }, [model]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
      if (event.key === "l") model.live ? model.unfollow() : model.follow();
      else if (event.key === "f") model.fit();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [model]);

  const unknown = settled && tags.length === 0;
  if (ids.length === 0 || unknown) return <NoTags onAdd={(id) => setIds([id])} />;

  const { error, warnings, loading } = model.state;
  return (
    <div className="trends">
      <TrendToolbar model={model} />
      {model.stoppedUs !== null && (
        <p className="follow-note" role="status">
          {t("trend.stopped", { time: fmt.time(model.stoppedUs) })}
          <Button kind="main" onClick={() => model.follow()}>
            {t("trend.backToLive")}
          </Button>
        </p>
      )}
      {error !== null && <ProblemView error={error} />}
      {warnings.length > 0 && (
        <p className="follow-note warn" role="status">
          {t("trend.incomplete")} <span className="mono">{warnings[0].detail}</span>
        </p>
      )}
      <div className="trend-body">
        <div className="trend-frame">
          <TrendChart
            scene={model.scene}
            subscribe={model.onPaint}
            cursor={() => model.cursor}
            onRange={(range, how) => model.move(range, how)}
            onCursor={(us, pinned) => model.setCursor(us, pinned)}
            onWidth={(px) => model.setWidth(px)}
            format={fmt}
            label={t("trend.label", { tags: tags.map(tagName).join(", ") })}
          />
          {!loading && error === null && !model.hasData && <p className="trend-nothing">{t("trend.nothing")}</p>}
          {loading && <span className="trend-loading">{t("trend.loading")}</span>}
        </div>
        <Legend
          model={model}
          tags={tags}
          onRemove={(id) => setIds(ids.filter((one) => one !== id))}
          onAdd={(id) => setIds([...ids, id].slice(-trendTagsMax))}
        />
      </div>
      <p className="footnote trend-note">
        {model.bucketUs === null
          ? t("trend.rawShown")
          : t("trend.bucketsShown", { width: fmt.duration(model.bucketUs) })}{" "}
        · {t("trend.how")}
      </p>
    </div>
  );
}

function urlOf(model: TrendModel): Record<string, string | null> {
  const cursor = model.cursor?.pinned ? shortTime(model.cursor.us) : null;
  if (model.live) return { live: String(Math.round(spanOf(model.range) / 1e6)), from: null, to: null, cursor };
  return { live: null, from: shortTime(model.range.fromUs), to: shortTime(model.range.toUs), cursor };
}

function NoTags(props: { onAdd(id: number): void }) {
  const { state, tags } = useDirectory("tags");
  // Nothing has ever been sent: there is nothing to choose from, but something to do.
  if (state === "ready" && tags.length === 0)
    return (
      <div className="page-scroll">
        <FirstBatch />
      </div>
    );
  return (
    <div className="page-scroll">
      <EmptyState title={t("trend.emptyTitle")}>
        <p>{t("trend.emptyWhat")}</p>
        <AddTag shown={[]} onAdd={props.onAdd} open />
      </EmptyState>
    </div>
  );
}

/** Names, values at the cursor (or now) with their units, and how good they are. */
function Legend(props: {
  model: TrendModel;
  tags: readonly RawTag[];
  onRemove(id: number): void;
  onAdd(id: number): void;
}) {
  const { model, tags } = props;
  // Places have names.
  useDirectory();
  // Live, the values are the newest ones; otherwise those at the cursor or at the right edge.
  const isNow = model.cursor === null && model.live;
  const at = model.cursor?.us ?? Math.min(model.range.toUs, nowUs());
  return (
    <section className="legend" aria-label={t("trend.legend")}>
      <header className="legend-head">
        <span>{model.cursor === null ? (model.live ? t("trend.now") : t("trend.atEnd")) : t("trend.atCursor")}</span>
        <time>{spanOf(model.range) < 120e6 ? fmt.part(at, "ms") : fmt.dateTime(at)}</time>
      </header>
      <ul>
        {tags.map((tag) => (
          <LegendRow
            key={tag.id}
            model={model}
            tag={tag}
            colour={model.colourOf(tag.id) + 1}
            at={isNow ? null : at}
            onRemove={() => props.onRemove(tag.id)}
          />
        ))}
      </ul>
      <AddTag shown={tags.map((tag) => tag.id)} onAdd={props.onAdd} />
    </section>
  );
}

function LegendRow(props: { model: TrendModel; tag: RawTag; colour: number; at: Micros | null; onRemove(): void }) {
  const { model, tag } = props;
  const reading = model.reading(tag.id, props.at);
  const shape = model.shapeOf(tag.id);
  const unit = unitText(tag.unit);
  const quality = reading?.time == null ? null : qualityOf(reading.status);
  let value: ReactNode = <span className="dim">–</span>;
  if (reading?.time != null) {
    if (reading.text !== null) value = reading.text || <span className="dim">{t("tags.empty")}</span>;
    else if (!Number.isNaN(reading.value)) value = number(reading.value);
    else value = <span className="bad">{t("trend.noNumber")}</span>;
  }
  return (
    <li className="legend-row">
      <span className={`swatch ${shape === "lane" ? "swatch-lane" : `series-${props.colour}`}`} aria-hidden="true" />
      <div className="legend-text">
        <p className="legend-line">
          <span className="legend-name" title={tag.address}>
            {tagName(tag)}
          </span>
          <span className="legend-value">
            {value} <span className="unit">{unit}</span>
          </span>
        </p>
        <p className="legend-line legend-small">
          <span className="legend-name" title={tagPlace(tag)}>
            {shortPlace(tag)}
          </span>
          {reading?.min != null && !Number.isNaN(reading.min) && (
            <span className="nowrap">
              {number(reading.min)} … {number(reading.max ?? reading.min)}
            </span>
          )}
          {quality !== null && quality !== "good" && (
            <span title={formatStatus(reading?.status ?? 0)}>
              <QualityMark quality={quality} label={t(`quality.${quality}`)} />
            </span>
          )}
        </p>
      </div>
      <Button
        kind="quiet"
        icon="close"
        aria-label={t("trend.remove", { name: tagName(tag) })}
        onClick={props.onRemove}
      />
    </li>
  );
}

function number(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e12 || size < 1e-4)) return value.toExponential(3);
  return fmt.fixed(value, decimalsOf(value, size >= 1000 ? 1 : 2));
}

function AddTag(props: { shown: readonly number[]; onAdd(id: number): void; open?: boolean }) {
  const [open, setOpen] = useState(props.open ?? false);
  if (!open)
    return (
      <Button icon="plus" className="add-tag" onClick={() => setOpen(true)}>
        {t("trend.add")}
      </Button>
    );
  return <TagPicker {...props} onClose={() => setOpen(props.open ?? false)} />;
}

function TagPicker(props: { shown: readonly number[]; onAdd(id: number): void; onClose(): void }) {
  const [text, setText] = useState("");
  const { tags: known } = useDirectory("tags");
  const found = useTagSearch(text.trim(), 30);
  const tags = (text.trim() === "" ? known.slice(0, 60) : found.tags)
    .filter((tag) => !props.shown.includes(tag.id))
    .slice(0, 30);
  return (
    <Picker
      label={t("trend.add")}
      placeholder={t("trend.addHint")}
      text={text}
      onText={setText}
      picks={tags.map((tag) => ({ id: String(tag.id), label: tagName(tag), note: tagPlace(tag) }))}
      none={t("search.none")}
      busy={found.busy ? t("search.busy") : null}
      onPick={(id) => {
        setText("");
        props.onClose();
        props.onAdd(Number(id));
      }}
      onCancel={props.onClose}
      autoFocus
    />
  );
}
