import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type PageTrendProps, unitText, valueText } from "../../kit/index.ts";
import { TrendChart } from "../../kit/trend-chart.tsx";
import { tagName, useTagsById } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { TrendModel } from "../trend-model.ts";

/** Values of tags under the lanes of a page: same range, same cursor. */
export function PageTrend(props: PageTrendProps) {
  const { range, following, cursorUs, format = fmt } = props;
  const { tagById } = useTagsById(props.tags);
  const [model] = useState(() => new TrendModel(range, following));
  const latest = useRef(props);
  latest.current = props;
  useSyncExternalStore(model.subscribe, model.version);
  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  const ids = props.tags.join();
  useEffect(() => {
    const tags = ids === "" ? [] : ids.split(",").flatMap((id) => tagById.get(Number(id)) ?? []);
    model.setTags(tags);
  }, [model, ids, tagById]);
  useEffect(() => model.lead(range, following), [model, range, following]);
  useEffect(() => model.setCursor(cursorUs, false), [model, cursorUs]);

  return (
    <div className="page-trend">
      <ul className="page-trend-legend">
        {props.tags.map((id) => {
          const tag = tagById.get(id);
          if (tag === undefined) return null;
          const reading = model.reading(id, cursorUs);
          const text =
            reading === null || reading.time === null || Number.isNaN(reading.value)
              ? (reading?.text ?? "–")
              : valueText(reading.value, format, Math.abs(reading.value) >= 100 ? 0 : 2);
          return (
            <li key={id}>
              {model.shapeOf(id) !== "lane" && (
                <span className="legend-dash" style={{ background: `var(--series-${model.colourOf(id) + 1})` }} />
              )}
              {tagName(tag)} <b>{text}</b> {unitText(tag.unit)}
            </li>
          );
        })}
      </ul>
      {model.state.loading && !model.hasData && <p className="page-trend-wait">{t("trend.loading")}</p>}
      {model.state.error !== null && <ProblemView error={model.state.error} />}
      <TrendChart
        scene={model.scene}
        subscribe={model.onPaint}
        cursor={() => model.cursor}
        onRange={(next, how) => latest.current.onRange(next, how)}
        onCursor={(us) => latest.current.onCursor(us)}
        onWidth={(px) => model.setWidth(px)}
        format={format}
        label={t("trend.label", {
          tags: props.tags
            .map((id) => tagById.get(id))
            .map((tag) => (tag === undefined ? "" : tagName(tag)))
            .join(", "),
        })}
      />
    </div>
  );
}
