import {
  counterRange,
  type Mapping,
  type Micros,
  qualityOf,
  type RawTag,
  type Value,
  valueAt,
} from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import { Segments } from "../../kit/index.ts";
import { nowUs, watch } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { useLive, useLoaded } from "../use.ts";
import { type MappedKind, verdictOf } from "./meaning.ts";
import { MeaningMark, type Reasons } from "./meaning-mark.tsx";
import { type Recording, recordingOf, type Seen, tableValue, valueInput } from "./values.ts";

const spans = ["day", "week", "month"] as const;
type Span = (typeof spans)[number];
const dayUs = 86_400_000_000;
const spanUs: Record<Span, Micros> = { day: dayUs, week: 7 * dayUs, month: 30 * dayUs };
const pointsMax = 200_000;
/** Different values that are judged, and the rows that show them. */
const valuesMax = 5_000;
const rowsMax = 200;
const liveMax = 6;
const liveEveryMs = 250;

interface LivePoint {
  /** Which of all that came. */
  n: number;
  time: Micros;
  value: Value;
  bad: boolean;
}

interface PreviewProps {
  tag: RawTag;
  kind: MappedKind;
  mapping: Mapping;
  reasons: Reasons;
  onSay(value: Seen["value"]): void;
}

/** Raw on the left, standard on the right: values as they come, and those of a while ago, under the mapping as it is being edited. */
export function Preview(props: PreviewProps) {
  const [span, setSpan] = useState<Span>("day");
  const { tag } = props;
  const seen = useLoaded(`seen ${tag.id} ${span}`, async () => {
    const to = nowUs();
    const query = { tag: [tag.id], from: to - spanUs[span], to, limit: pointsMax };
    return recordingOf(await call("rawHistory", { query }), valuesMax);
  });
  return (
    <section className="mapping-preview" aria-label={t("mapping.preview")}>
      <h3>{t("mapping.preview")}</h3>
      <LiveTable {...props} />
      <div className="mapping-seen-head">
        <h4>{t("mapping.seen")}</h4>
        <Segments<Span>
          label={t("mapping.seen")}
          value={span}
          choices={spans.map((value) => ({ value, label: t(`mapping.span.${value}`) }))}
          onChange={setSpan}
        />
      </div>
      {seen.error !== null && <ProblemView error={seen.error} />}
      {seen.data === null ? (
        seen.error === null && <p className="quiet-wait">{t("wait.seen")}</p>
      ) : (
        <SeenTable {...props} recording={seen.data} />
      )}
    </section>
  );
}

/** The newest points of a tag, the latest first; told at most four times a second, however fast they come. */
function useLivePoints(tag: number): readonly LivePoint[] {
  const [points, setPoints] = useState<readonly LivePoint[]>([]);
  const kept = useRef<LivePoint[]>([]);
  useEffect(() => {
    let timer = 0;
    let came = 0;
    kept.current = [];
    const stop = watch([tag], ({ columns }) => {
      for (let row = 0; row < columns.rows; row++) {
        if (columns.tag[row] !== tag) continue;
        const bad = columns.status !== null && qualityOf(columns.status[row]) === "bad";
        kept.current.push({ n: ++came, time: columns.time[row], value: valueAt(columns, row), bad });
      }
      kept.current = kept.current.sort((a, b) => b.time - a.time).slice(0, liveMax);
      if (timer === 0)
        timer = window.setTimeout(() => {
          timer = 0;
          setPoints([...kept.current]);
        }, liveEveryMs);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [tag]);
  return points;
}

function LiveTable(props: PreviewProps) {
  const points = useLivePoints(props.tag.id);
  const last = useLive(props.tag.id);
  const known: readonly LivePoint[] =
    points.length > 0 || last?.time == null
      ? points
      : [{ n: 0, time: last.time, value: last.value, bad: qualityOf(last.status) === "bad" }];
  return (
    <>
      <h4>{t("mapping.live")}</h4>
      {known.length === 0 ? (
        <p className="soft">{t("mapping.liveNone")}</p>
      ) : (
        <table className="plain mapping-values mapping-live">
          <caption className="unseen">{t("mapping.live")}</caption>
          <tbody>
            {known.map((point, i) => (
              <tr key={point.n}>
                <td className="nowrap soft">{fmt.dateTime(point.time)}</td>
                <LiveCells {...props} point={point} before={known[i + 1]} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function LiveCells(props: PreviewProps & { point: LivePoint; before: LivePoint | undefined }) {
  const { point, before } = props;
  const value = point.bad ? null : tableValue(point.value);
  const earlier = before === undefined || before.bad ? null : tableValue(before.value);
  if (value === null)
    return (
      <>
        <td className="mono">–</td>
        <td className="soft">{t("mapping.badValue")}</td>
      </>
    );
  const rise =
    props.kind === "counter" && typeof value === "number" && typeof earlier === "number" ? value - earlier : null;
  return (
    <>
      <td className="mono mapping-raw">{valueInput(value)}</td>
      <td>
        {rise !== null && (
          <span className="mapping-rise">{`${rise < 0 ? "−" : "+"}${fmt.number(Math.abs(rise), 6)}`}</span>
        )}
        <Becomes {...props} value={value} />
      </td>
    </>
  );
}

/** What one value would become. */
function Becomes(props: PreviewProps & { value: Seen["value"] }) {
  const { kind, mapping, reasons, value } = props;
  if (kind === "counter")
    return isOutside(mapping, value) ? (
      <span className="mapping-mark mapping-unsaid">{t("mapping.outside")}</span>
    ) : (
      <span>{t("mapping.reading")}</span>
    );
  if (kind === "pulse") {
    if ((mapping.pulse?.edge ?? "each") === "each") return <span>{t("mapping.piece")}</span>;
    return <span>{t(Number(value) === 0 ? "mapping.low" : "mapping.high")}</span>;
  }
  return (
    <MeaningMark
      verdict={verdictOf(mapping, value)}
      reasons={reasons}
      value={valueInput(value)}
      onSay={() => props.onSay(value)}
    />
  );
}

function isOutside({ counter = {} }: Mapping, value: Seen["value"]): boolean {
  const { least, below } = counterRange(counter);
  return typeof value === "string" || Number(value) < least || Number(value) >= below;
}

/** The mapping says nothing of it. */
const isUnsaid = ({ kind, mapping }: PreviewProps, value: Seen["value"]): boolean =>
  kind === "counter" ? isOutside(mapping, value) : kind !== "pulse" && verdictOf(mapping, value) === "unsaid";

function SeenTable(props: PreviewProps & { recording: Recording }) {
  const { recording, kind } = props;
  const { values, others, bad, points, more } = recording;
  if (points === 0) return <p className="soft">{t("mapping.seenNone")}</p>;
  const unsaid = values.filter(({ value }) => isUnsaid(props, value));
  // Which stand above is decided by the mapping; a row that has got its meaning goes down to the others.
  const known = new Set(unsaid);
  const rows = [...unsaid, ...values.filter((one) => !known.has(one))].slice(0, rowsMax);
  const left = others + Math.max(0, values.length - rowsMax);
  const states = kind === "itemState" || kind === "operationMode";
  return (
    <>
      {states && (
        <p className={unsaid.length > 0 ? "mapping-sum warn" : "mapping-sum"} role="status">
          {unsaid.length > 0
            ? t("mapping.unsaidSum", { n: unsaid.length, of: values.length })
            : t("mapping.allSaid", { n: values.length })}
        </p>
      )}
      {kind === "counter" && unsaid.length > 0 && (
        <p className="mapping-sum warn" role="status">
          {t("mapping.outsideSum", { n: unsaid.length })}
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a region that scrolls, no fieldset */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too */}
      <div className="mapping-scroll mapping-seen" role="group" aria-label={t("mapping.seen")} tabIndex={0}>
        <table className="plain mapping-values">
          <caption className="unseen">{t("mapping.seen")}</caption>
          <thead>
            <tr>
              <th>{t("mapping.raw")}</th>
              <th className="right">{t("mapping.count")}</th>
              <th>{t("mapping.last")}</th>
              <th>{t("mapping.becomes")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ value, count, lastUs }) => (
              <tr key={`${typeof value} ${value}`} className={isUnsaid(props, value) ? "mapping-row-unsaid" : ""}>
                <td className="mono mapping-raw">{valueInput(value)}</td>
                <td className="right">{fmt.integer(count)}</td>
                <td className="nowrap soft">{fmt.dateTime(lastUs)}</td>
                <td>
                  <Becomes {...props} value={value} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(bad > 0 || left > 0 || more) && (
        <p className="soft">
          {bad > 0 && `${t("mapping.badSum", { n: bad })} `}
          {left > 0 && `${t("mapping.othersSum", { n: left })} `}
          {more && t("mapping.moreSum", { n: points })}
        </p>
      )}
      {kind === "counter" && <p className="soft">{t("mapping.counterNote")}</p>}
    </>
  );
}
