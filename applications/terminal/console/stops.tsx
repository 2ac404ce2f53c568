import { type Micros, type Reason, secondUs, type Work, type WorkStop } from "@lineshaft/contract/api";
import { type PageContext, useSecond } from "@lineshaft/ui/kit";
import { useState } from "react";
import { stopReasons } from "./reasons.ts";
import { ReasonTiles, Sheet } from "./sheet.tsx";
import { nameIn, type Say } from "./texts.ts";

interface StopProps {
  context: PageContext;
  t: Say;
  reasons: ReadonlyMap<number, Reason>;
}

/** Stops, the newest first, each with its reason or the question for it. Micro stops are counted, not asked for. */
export function Stops(
  props: StopProps & {
    work: Work;
    nowUs(): Micros;
    onReason(stop: WorkStop): void;
    onSplit(stop: WorkStop): void;
    onAccept(stop: WorkStop, reason: number): void;
  },
) {
  const { work, t } = props;
  useSecond();
  const long = work.stops.filter(({ micro, toUs }) => !micro || toUs === null);
  const micro = work.stops.length - long.length;
  return (
    <section className="stops" aria-label={t("stops")}>
      <header>
        <h3>{t("stops")}</h3>
        {micro > 0 && <span className="terminal-hint">{t("stops.shorter", { n: micro })}</span>}
      </header>
      {long.length === 0 && <p className="terminal-hint">{t("stops.none")}</p>}
      <ul>
        {long.map((stop) => (
          <StopRow key={stop.fromUs} {...props} stop={stop} />
        ))}
      </ul>
    </section>
  );
}

function StopRow(props: Parameters<typeof Stops>[0] & { stop: WorkStop }) {
  const { stop, work, context, t, reasons } = props;
  const format = context.formatIn(work.timeZone);
  const nameOf = nameIn(reasons, context.locale);
  const lasts = stop.toUs === null;
  const duration = secondsOf((stop.toUs ?? props.nowUs()) - stop.fromUs, context);
  const said = stop.reasons.length > 0;
  const kind = said ? "said" : lasts ? "now" : "open";
  return (
    <li className={`stop stop-${kind}`}>
      <span className="stop-time">
        <strong>{duration}</strong>
        <small>
          {clockOf(format.time(stop.fromUs))} – {stop.toUs === null ? t("stops.now") : clockOf(format.time(stop.toUs))}
        </small>
      </span>
      {said ? (
        <span className="stop-reasons">
          {stop.reasons.map(({ fromUs, reason }) => (
            <span key={fromUs}>
              {stop.reasons.length > 1 && <small>{clockOf(format.time(fromUs))} </small>}
              {nameOf(reason)}
            </span>
          ))}
        </span>
      ) : (
        stop.proposal !== null && (
          <button
            type="button"
            className="touch stop-proposal"
            onClick={() => props.onAccept(stop, stop.proposal as number)}
          >
            <span>
              {nameOf(stop.proposal)}
              <small>{proposedBy(stop, context.locale, t)}</small>
            </span>
          </button>
        )
      )}
      <span className="stop-buttons">
        <button
          type="button"
          className={`touch ${said ? "quiet" : lasts ? "main" : ""}`}
          onClick={() => props.onReason(stop)}
        >
          {t(said ? "stops.change" : "stops.why")}
        </button>
        {said && (
          <button type="button" className="touch quiet" onClick={() => props.onSplit(stop)}>
            {t("stops.split")}
          </button>
        )}
      </span>
    </li>
  );
}

/** What the alarm of a stop says; one that has no text has at least its code. */
function alarmText({ alarm }: WorkStop, locale: string): string {
  if (alarm === null) return "";
  const { text, property, code } = alarm;
  const said = locale.startsWith("de") ? (text?.de ?? text?.en) : (text?.en ?? text?.de);
  return said ?? `${property} ${code}`;
}

const proposedBy = (stop: WorkStop, locale: string, t: Say): string =>
  stop.proposedBy === "alarm" ? t("reason.byAlarm", { alarm: alarmText(stop, locale) }) : t("reason.proposed");

/** A length of time in whole seconds: nobody at a machine counts less. */
export const secondsOf = (us: Micros, { format }: PageContext): string =>
  format.duration(Math.max(1, Math.floor(us / secondUs)) * secondUs);

/** Hours and minutes of a time with seconds. */
const clockOf = (time: string): string => time.slice(0, 5);

export function ReasonSheet(
  props: StopProps & {
    work: Work;
    stop: WorkStop;
    part: { fromUs: Micros; toUs: Micros } | null;
    onClose(): void;
    onChoose(reason: number): void;
  },
) {
  const { work, stop, part, context, t, reasons } = props;
  const format = context.formatIn(work.timeZone);
  const title =
    part !== null
      ? t("reason.titlePart", { from: clockOf(format.time(part.fromUs)), to: clockOf(format.time(part.toUs)) })
      : t(stop.toUs === null ? "reason.titleNow" : "reason.title");
  const groups = stopReasons(reasons);
  const offered = new Set(groups.flatMap((each) => each.reasons.map(({ number }) => number)));
  return (
    <Sheet title={title} t={t} onClose={props.onClose}>
      <ReasonTiles
        groups={groups}
        usual={work.usualReasons.filter((number) => offered.has(number)).map((number) => reasons.get(number) as Reason)}
        proposed={stop.proposal === null ? null : (reasons.get(stop.proposal) ?? null)}
        proposedBy={proposedBy(stop, context.locale, t)}
        context={context}
        t={t}
        onChoose={props.onChoose}
      />
    </Sheet>
  );
}

/** Where did the reason change? Then one of the two parts gets another. */
export function SplitSheet(props: {
  stop: WorkStop;
  context: PageContext;
  zone: string;
  t: Say;
  nowUs(): Micros;
  onClose(): void;
  onPart(part: { fromUs: Micros; toUs: Micros }): void;
}) {
  const { stop, context, t } = props;
  const [endUs] = useState(() => stop.toUs ?? props.nowUs());
  const [share, setShare] = useState(0.5);
  const format = context.formatIn(props.zone);
  const splitUs = Math.round(stop.fromUs + (endUs - stop.fromUs) * share);
  return (
    <Sheet title={t("split.title")} t={t} onClose={props.onClose}>
      <p className="terminal-hint">{t("split.hint")}</p>
      <div className="split">
        <p>
          <span>{clockOf(format.time(stop.fromUs))}</span>
          <strong>{format.time(splitUs)}</strong>
          <span>{clockOf(format.time(endUs))}</span>
        </p>
        <input
          type="range"
          min={0.01}
          max={0.99}
          step={0.01}
          value={share}
          aria-label={t("split.hint")}
          onChange={(event) => setShare(Number(event.target.value))}
        />
        <div className="choices">
          <button type="button" className="tile" onClick={() => props.onPart({ fromUs: stop.fromUs, toUs: splitUs })}>
            <strong>{t("split.first")}</strong>
            <span>{secondsOf(splitUs - stop.fromUs, context)}</span>
          </button>
          <button type="button" className="tile" onClick={() => props.onPart({ fromUs: splitUs, toUs: endUs })}>
            <strong>{t("split.second")}</strong>
            <span>{secondsOf(endUs - splitUs, context)}</span>
          </button>
        </div>
      </div>
    </Sheet>
  );
}
