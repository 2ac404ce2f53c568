import type { RawTag } from "@lineshaft/contract/api";
import { useEffect, useState } from "react";
import { TrendChart } from "../../kit/trend-chart.tsx";
import { tagName } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { TrendModel } from "../trend-model.ts";

const spanUs = 15 * 60_000_000;

/** What one tag did of late, to be looked at only: the trends page is where time is moved. */
export function TagTrend({ tag }: { tag: RawTag }) {
  const [model] = useState(() => new TrendModel({ fromUs: nowUs() - spanUs, toUs: nowUs() }, true));
  useEffect(() => {
    model.start();
    return () => model.stop();
  }, [model]);
  useEffect(() => model.setTags([tag]), [model, tag]);
  return (
    <TrendChart
      scene={model.scene}
      subscribe={model.onPaint}
      cursor={() => null}
      onWidth={(px) => model.setWidth(px)}
      format={fmt}
      label={`${tagName(tag)}, ${t("trend.lately", { time: fmt.duration(spanUs) })}`}
    />
  );
}
