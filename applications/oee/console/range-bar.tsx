import { hourUs, type Micros } from "@lineshaft/contract/api";
import { Button, type Format, pan, spanOf, type TimeRange, zoom } from "@lineshaft/ui/kit";
import { moved, type View } from "./range.ts";
import { rangeText, type Say } from "./texts.ts";

const spans = [
  ["range.8h", 8 * hourUs],
  ["range.24h", 24 * hourUs],
  ["range.7d", 7 * 24 * hourUs],
] as const;

/** Chooses the one time range of a page. */
export function RangeBar(props: {
  view: View;
  onView(next: View): void;
  /** The shift of now, where a calendar tells it. */
  shift: TimeRange | null;
  nowUs: Micros;
  format: Format;
  t: Say;
}) {
  const { view, onView, shift, nowUs, format, t } = props;
  const { range, following } = view;
  const span = spanOf(range);
  const isShift = shift !== null && !following && range.fromUs === shift.fromUs && range.toUs === shift.toUs;
  const by = (part: number): void => onView(moved(view, pan(range, span * part), "pan", nowUs));
  const zoomBy = (factor: number): void =>
    onView(moved(view, zoom(range, range.fromUs + span / 2, factor), "zoom", nowUs));
  return (
    <div className="range-bar">
      <fieldset className="segments">
        <legend className="unseen">{t("range.title")}</legend>
        {shift !== null && (
          <button
            type="button"
            aria-pressed={isShift}
            onClick={() => onView({ range: { fromUs: shift.fromUs, toUs: shift.toUs }, following: false })}
          >
            {t("range.shift")}
          </button>
        )}
        {spans.map(([key, us]) => (
          <button
            key={key}
            type="button"
            aria-pressed={following && Math.abs(span - us) < 1e6}
            onClick={() => onView({ range: { fromUs: nowUs - us, toUs: nowUs }, following: true })}
          >
            {t(key)}
          </button>
        ))}
      </fieldset>
      <span className="range-steps">
        <Button
          kind="quiet"
          icon="left"
          aria-label={t("range.earlier")}
          title={t("range.earlier")}
          onClick={() => by(-0.5)}
        />
        <Button
          kind="quiet"
          icon="right"
          aria-label={t("range.later")}
          title={t("range.later")}
          onClick={() => by(0.5)}
        />
        <Button kind="quiet" icon="plus" aria-label={t("range.in")} title={t("range.in")} onClick={() => zoomBy(0.5)} />
        <Button
          kind="quiet"
          icon="minus"
          aria-label={t("range.out")}
          title={t("range.out")}
          onClick={() => zoomBy(2)}
        />
      </span>
      <span className="range-text">{rangeText(range, format)}</span>
      {following ? (
        <span className="range-live">{t("range.live")}</span>
      ) : (
        <Button
          onClick={() => onView({ range: { fromUs: nowUs - span, toUs: nowUs }, following: true })}
          title={t("range.stopped")}
        >
          {t("range.follow")}
        </Button>
      )}
    </div>
  );
}
