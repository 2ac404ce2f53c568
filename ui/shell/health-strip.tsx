import type { ReactNode } from "react";
import { useSyncExternalStore } from "react";
import { useDirectory } from "./directory.ts";
import { observeStream, streamState } from "./feed.ts";
import { diskHoursLow, lagSecondsHigh, useHealth, worriesOf } from "./health.ts";
import { fmt, t } from "./i18n.ts";
import { link, type Page } from "./router.ts";

/** In the bar of every page: quiet while all is well, then the worst worry in words. */
export function HealthMark() {
  const health = useHealth();
  const stream = useSyncExternalStore(observeStream, streamState);
  const worry = worriesOf(health)[0];
  if (worry !== undefined)
    return (
      <a className="health-mark health-alarm" role="status" {...link("system")}>
        {t(`worry.${worry}`)}
      </a>
    );
  if (health.status !== null && stream === "waiting")
    return (
      <span className="health-mark health-warn" role="status">
        {t("worry.stream")}
      </span>
    );
  return (
    <a className="health-mark" title={t("health.rateHint")} {...link("system")}>
      {health.status === null
        ? t("wait.server")
        : t("health.rate", { rate: fmt.rate(health.status.rates.storedPerSecond) })}
    </a>
  );
}

function Item(props: { label: string; value: ReactNode; to: Page; worry?: boolean }) {
  return (
    <a className={`strip-item ${props.worry ? "worry" : ""}`} {...link(props.to)}>
      <span className="strip-label">{props.label}</span>
      <span className="strip-value">{props.value}</span>
    </a>
  );
}

/** Is the data all right? One line above the equipment; each figure leads to its page. */
export function HealthStrip() {
  const { status } = useHealth();
  const { connections } = useDirectory("connections");
  if (status === null) return null;
  const { sums, rates, history, disk } = status;
  const silent = connections.filter((c) => c.state === "silent").length;
  return (
    <section className="strip" aria-label={t("health.title")}>
      <Item label={t("health.stored")} value={fmt.rate(rates.storedPerSecond)} to="system" />
      <Item
        label={t("health.connections")}
        value={
          silent > 0
            ? t("health.silent", { n: silent, of: connections.length })
            : t("health.active", { n: connections.length })
        }
        to="connections"
        worry={silent > 0}
      />
      <Item
        label={t("health.lag")}
        value={fmt.duration(history.lagSeconds * 1e6)}
        to="system"
        worry={history.lagSeconds > lagSecondsHigh}
      />
      <Item
        label={t("health.sums")}
        value={sums.balanced ? t("health.balanced") : t("health.unbalanced")}
        to="system"
        worry={!sums.balanced}
      />
      <Item label={t("health.rejected")} value={fmt.integer(sums.rejected)} to="rejected" />
      <Item
        label={disk.hoursLeft === null ? t("health.diskFree") : t("health.disk")}
        value={disk.hoursLeft === null ? fmt.bytes(disk.freeBytes) : fmt.duration(disk.hoursLeft * 3.6e9)}
        to="system"
        worry={disk.hoursLeft !== null && disk.hoursLeft < diskHoursLow}
      />
    </section>
  );
}
