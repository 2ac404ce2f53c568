import { useEffect, useRef, useState } from "react";
import { Button, copyText, Field, pan, Segments, spanOf } from "../../kit/index.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { note } from "../toasts.tsx";
import type { TrendModel } from "../trend-model.ts";

const presets = [
  [60, "1 min"],
  [300, "5 min"],
  [900, "15 min"],
  [3_600, "1 h"],
  [8 * 3_600, "8 h"],
  [24 * 3_600, "24 h"],
  [7 * 24 * 3_600, "7 d"],
  [30 * 24 * 3_600, "30 d"],
] as const;

export function TrendToolbar({ model }: { model: TrendModel }) {
  const seconds = Math.round(spanOf(model.range) / 1e6);
  const preset = presets.find(([s]) => s === seconds)?.[0];
  const choose = (value: string): void => {
    const span = Number(value) * 1e6;
    if (model.live || model.range.toUs >= nowUs()) model.follow(span);
    else model.show({ fromUs: model.range.toUs - span, toUs: model.range.toUs });
  };
  return (
    <div className="toolbar">
      <button
        type="button"
        className="live-button"
        aria-pressed={model.live}
        onClick={() => (model.live ? model.unfollow() : model.follow())}
      >
        <span className="live-dot" aria-hidden="true" />
        {model.live ? t("trend.live") : t("trend.goLive")}
      </button>
      <Segments
        label={t("trend.span")}
        value={preset === undefined ? null : String(preset)}
        choices={presets.map(([s, label]) => ({ value: String(s), label }))}
        onChange={choose}
      />
      <div className="range-group">
        <Button
          kind="quiet"
          aria-label={t("trend.earlier")}
          title={t("trend.earlier")}
          onClick={() => model.move(pan(model.range, -spanOf(model.range) / 2), "pan")}
        >
          ‹
        </Button>
        <RangeChoice model={model} />
        <Button
          kind="quiet"
          aria-label={t("trend.later")}
          title={t("trend.later")}
          onClick={() => model.move(pan(model.range, spanOf(model.range) / 2), "pan")}
        >
          ›
        </Button>
      </div>
      <span className="spring" />
      <Button icon="fit" onClick={() => model.fit()}>
        {t("trend.fit")}
      </Button>
      <Button
        icon="copy"
        title={t("trend.copyLink")}
        onClick={() =>
          void copyText(location.href).then((done) => note(done ? t("trend.linkCopied") : t("copy.failed")))
        }
      >
        {t("trend.link")}
      </Button>
    </div>
  );
}

/** µs to what `<input type=datetime-local>` takes, in the viewer's zone, and back. */
function toLocal(us: number): string {
  const date = new Date(us / 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
const fromLocal = (text: string): number => new Date(text).getTime() * 1000;

function RangeChoice({ model }: { model: TrendModel }) {
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const onDown = (event: PointerEvent): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", onDown);
    return () => removeEventListener("pointerdown", onDown);
  }, [open]);
  const { fromUs, toUs } = model.range;
  const valid = fromLocal(from) < fromLocal(to);
  const sameDay = fmt.date(fromUs) === fmt.date(toUs);
  return (
    <div className="anchored" ref={box}>
      <button
        type="button"
        className="range-text"
        aria-expanded={open}
        title={t("trend.chooseRange")}
        onClick={() => {
          setFrom(toLocal(fromUs));
          setTo(toLocal(toUs));
          setOpen(!open);
        }}
      >
        {fmt.dateTime(fromUs)} – {sameDay ? fmt.time(toUs) : fmt.dateTime(toUs)}
      </button>
      {open && (
        <form
          className="popover"
          onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
          onSubmit={(event) => {
            event.preventDefault();
            if (!valid) return;
            setOpen(false);
            model.show({ fromUs: fromLocal(from), toUs: fromLocal(to) });
          }}
        >
          <Field label={t("trend.from")}>
            {(id) => (
              <input
                id={id}
                className="input"
                type="datetime-local"
                step="1"
                value={from}
                onChange={(e) => setFrom(e.target.value)}
              />
            )}
          </Field>
          <Field label={t("trend.to")} fault={valid ? null : t("trend.rangeInvalid")}>
            {(id) => (
              <input
                id={id}
                className="input"
                type="datetime-local"
                step="1"
                value={to}
                onChange={(e) => setTo(e.target.value)}
              />
            )}
          </Field>
          <Button kind="main" type="submit" disabled={!valid}>
            {t("trend.show")}
          </Button>
        </form>
      )}
    </div>
  );
}
