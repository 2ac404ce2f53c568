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
import { watch } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { useLive } from "../use.ts";
import { alarmVerdict } from "./alarm-draft.ts";
import { AlarmMark } from "./alarm-mark.tsx";
import { type MappedKind, type Verdict, verdictOf, verdictWith } from "./meaning.ts";
import { MeaningMark, type Reasons } from "./meaning-mark.tsx";
import { type Span, spans, useRecording } from "./recording.ts";
import { useTrial } from "./trial.ts";
import { type Recording, type Seen, tableValue, valueInput } from "./values.ts";

/** Rows that show what was recorded. */
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
interface JudgedProps extends PreviewProps {
  /** What a value becomes, with the conditions asked. */
  judge(value: Seen["value"]): Verdict;
}

const keyOf = (value: Seen["value"]): string => `${typeof value} ${value}`;

/** Values are judged here, as far as no condition stands before; those the server judges, once for all of them. */
function useJudge(mapping: Mapping, values: readonly Seen["value"][]): JudgedProps["judge"] {
  const conditions = (mapping.states ?? []).flatMap(({ when }) => (when === undefined ? [] : [when]));
  const open = values.filter((value) => verdictOf(mapping, value) === "server").slice(0, rowsMax);
  const { trial, of } = useTrial(
    open.length === 0 ? [] : conditions,
    { value: "double" },
    open.map((value) => ({ value })),
  );
  const isOf = of.length === conditions.length && of.every((one, i) => one === conditions[i]);
  const truths = new Map(open.map((value, i) => [keyOf(value), isOf ? trial?.truths[i] : undefined]));
  return (value) => {
    const verdict = verdictOf(mapping, value);
    return verdict === "server" ? verdictWith(mapping, value, truths.get(keyOf(value))) : verdict;
  };
}

/** Raw on the left, standard on the right: values as they come, and those of a while ago, under the mapping as it is being edited. */
export function Preview(props: PreviewProps) {
  const [span, setSpan] = useState<Span>("day");
  const { tag } = props;
  const seen = useRecording(tag.id, span);
  const last = useLive(tag.id);
  const present = last?.time == null ? null : tableValue(last.value);
  const recorded = (seen.data?.values ?? []).slice(0, rowsMax - 1).map(({ value }) => value);
  const judge = useJudge(props.mapping, present === null ? recorded : [present, ...recorded]);
  return (
    <section className="mapping-preview" aria-label={t("mapping.preview")}>
      <h3>{t("mapping.preview")}</h3>
      <LiveTable {...props} judge={judge} />
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
        <SeenTable {...props} judge={judge} recording={seen.data} />
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

function LiveTable(props: JudgedProps) {
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

function LiveCells(props: JudgedProps & { point: LivePoint; before: LivePoint | undefined }) {
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
function Becomes(props: JudgedProps & { value: Seen["value"] }) {
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
  if (kind === "alarm")
    return (
      <AlarmMark
        verdict={alarmVerdict(mapping.alarm ?? {}, value)}
        reasons={reasons}
        value={valueInput(value)}
        onSay={() => props.onSay(value)}
      />
    );
  return (
    <MeaningMark
      verdict={props.judge(value)}
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
function isUnsaid({ kind, mapping, judge }: JudgedProps, value: Seen["value"]): boolean {
  if (kind === "counter") return isOutside(mapping, value);
  // An alarm that has no text shows its number, which nobody on the floor knows.
  if (kind === "alarm") return alarmVerdict(mapping.alarm ?? {}, value)?.text === null;
  return kind !== "pulse" && judge(value) === "unsaid";
}

function SeenTable(props: JudgedProps & { recording: Recording }) {
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
      {kind === "alarm" && unsaid.length > 0 && (
        <p className="mapping-sum warn" role="status">
          {t("alarm.untold", { n: unsaid.length })}
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
