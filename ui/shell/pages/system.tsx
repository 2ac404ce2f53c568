import type { SystemStatus } from "@lineshaft/contract/api";
import type { ReactNode } from "react";
import { Sparkline } from "../../kit/index.ts";
import { diskHoursLow, type Health, lagSecondsHigh, type Sample, useHealth } from "../health.ts";
import { fmt, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { link } from "../router.ts";
import { allowed } from "../session.ts";
import { useNow } from "../use.ts";
import { KeysSection } from "./keys.tsx";

export function SystemPage() {
  const health = useHealth();
  if (health.status === null)
    return health.error === null ? (
      <p className="quiet-wait">{t("wait.system")}</p>
    ) : (
      <ProblemView error={health.error} />
    );
  return (
    <div className="page-scroll system">
      {health.error !== null && <ProblemView error={health.error} />}
      <Head status={health.status} />
      <div className="system-columns">
        <div>
          <Rates health={health} status={health.status} />
          <SumRule status={health.status} />
          <Events status={health.status} />
        </div>
        <div>
          <Facts status={health.status} />
        </div>
      </div>
      {allowed("administer") && <KeysSection />}
    </div>
  );
}

function Head({ status }: { status: SystemStatus }) {
  const now = useNow();
  return (
    <p className="system-head">
      <span className={`state-word ${status.state === "ready" ? "" : "state-silent"}`}>
        {t(`system.${status.state}`)}
      </span>
      <span>Lineshaft {status.version}</span>
      {status.demo && <span>{t("system.demo")}</span>}
      <span className="soft">
        {t("system.up", { time: fmt.duration(now - status.startedUs), since: fmt.dateTime(status.startedUs) })}
      </span>
    </p>
  );
}

function Gauge(props: {
  label: string;
  value: string;
  samples: readonly Sample[];
  of: keyof Sample;
  least?: number;
  worry?: boolean;
  note?: string;
}) {
  return (
    <div className={`gauge ${props.worry ? "worry" : ""}`}>
      <span className="gauge-label">{props.label}</span>
      <span className="gauge-value">{props.value}</span>
      <Sparkline
        values={props.samples.map((sample) => sample[props.of])}
        label={t("system.lastMinutes", { what: props.label })}
        least={props.least ?? 0}
      />
      <span className="gauge-note">{props.note}</span>
    </div>
  );
}

/** Below ten milliseconds a tenth is worth telling. */
const shortTime = (ms: number): string => (ms < 10 ? `${fmt.number(ms, 1)} ms` : fmt.duration(ms * 1000));

function Rates({ health, status }: { health: Health; status: SystemStatus }) {
  const { samples } = health;
  return (
    <section aria-label={t("system.rates")}>
      <h2>{t("system.rates")}</h2>
      <div className="gauges">
        <Gauge
          label={t("system.offered")}
          value={fmt.rate(status.rates.offeredPerSecond)}
          samples={samples}
          of="offered"
          note={t("system.batches", { rate: fmt.rate(status.rates.batchesPerSecond) })}
        />
        <Gauge
          label={t("system.stored")}
          value={fmt.rate(status.rates.storedPerSecond)}
          samples={samples}
          of="stored"
        />
        <Gauge
          label={t("system.lag")}
          value={fmt.duration(status.history.lagSeconds * 1e6)}
          samples={samples}
          of="lagSeconds"
          least={1}
          worry={status.history.lagSeconds > lagSecondsHigh}
          note={t("system.lagRecords", { n: status.history.lagRecords })}
        />
        <Gauge
          label={t("system.commit")}
          value={shortTime(status.log.commitP99Ms)}
          samples={samples}
          of="commitP99Ms"
          least={5}
          note={t("system.commitHalf", { time: shortTime(status.log.commitP50Ms) })}
        />
      </div>
    </section>
  );
}

/** Nothing is lost silently: what was offered equals what became of it, and the page does the sum. */
function SumRule({ status }: { status: SystemStatus }) {
  const { sums } = status;
  const parts = [
    ["stored", sums.stored, null],
    ["duplicates", sums.duplicates, null],
    ["rejected", sums.rejected, "rejected"],
    ["dropped", sums.dropped, "rejected"],
    ["pending", sums.pending, null],
  ] as const;
  const difference = sums.offered - parts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <section aria-label={t("sums.title")}>
      <h2>{t("sums.title")}</h2>
      <table className="plain sums">
        <tbody>
          <tr>
            <th scope="row">{t("sums.offered")}</th>
            <td className="right">{fmt.integer(sums.offered)}</td>
            <td className="soft">{t("sumsHint.offered")}</td>
          </tr>
          {parts.map(([name, n, page], i) => (
            <tr key={name}>
              <th scope="row">
                <span className="sign" aria-hidden="true">
                  {i === 0 ? "=" : "+"}
                </span>
                {page !== null && n > 0 ? <a {...link(page)}>{t(`sums.${name}`)}</a> : t(`sums.${name}`)}
              </th>
              <td className={`right ${name === "dropped" && n > 0 ? "attention" : ""}`}>{fmt.integer(n)}</td>
              <td className="soft">{t(`sumsHint.${name}`)}</td>
            </tr>
          ))}
          <tr className={sums.balanced ? "total" : "total worry"}>
            <th scope="row">{sums.balanced ? t("sums.balanced") : t("sums.unbalanced")}</th>
            <td className="right">{fmt.integer(difference)}</td>
            <td className="soft">{sums.balanced ? t("sumsHint.balanced") : t("sumsHint.unbalanced")}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Row(props: { label: string; value: ReactNode; worry?: boolean; hint?: string }) {
  return (
    <div className={props.worry ? "worry" : ""}>
      <dt>
        {props.label}
        {props.hint !== undefined && <span className="hint">{props.hint}</span>}
      </dt>
      <dd>{props.value}</dd>
    </div>
  );
}

function Facts({ status }: { status: SystemStatus }) {
  const { log, history, disk, process } = status;
  const used = disk.totalBytes > 0 ? 1 - disk.freeBytes / disk.totalBytes : 0;
  const low = disk.hoursLeft !== null && disk.hoursLeft < diskHoursLow;
  return (
    <>
      <section aria-label={t("system.disk")}>
        <h2>{t("system.disk")}</h2>
        <div
          className={`bar ${low ? "worry" : ""}`}
          role="img"
          aria-label={t("system.diskUsed", { share: fmt.percent(used) })}
        >
          <span style={{ width: `${(used * 100).toFixed(1)}%` }} />
        </div>
        <dl className="facts">
          <Row
            label={t("system.hoursLeft")}
            value={disk.hoursLeft === null ? t("system.unknownYet") : fmt.duration(disk.hoursLeft * 3.6e9)}
            worry={low}
            hint={t("system.hoursLeftHint")}
          />
          <Row
            label={t("system.free")}
            value={t("system.freeOf", { free: fmt.bytes(disk.freeBytes), total: fmt.bytes(disk.totalBytes) })}
          />
          <Row label={t("system.ourData")} value={fmt.bytes(disk.usedByDataBytes)} />
        </dl>
      </section>
      <section aria-label={t("system.log")}>
        <h2>{t("system.log")}</h2>
        <dl className="facts">
          <Row
            label={t("system.window")}
            value={t("system.lsns", { from: log.firstLsn, to: log.durableLsn })}
            hint={t("system.windowHint")}
          />
          <Row
            label={t("system.segments")}
            value={t("system.segmentsOf", { n: log.segments, size: fmt.bytes(log.bytes) })}
          />
          <Row label={t("system.generation")} value={fmt.integer(log.generation)} />
          <Row label={t("system.quarantined")} value={fmt.integer(log.quarantined)} worry={log.quarantined > 0} />
        </dl>
      </section>
      <section aria-label={t("system.history")}>
        <h2>{t("system.history")}</h2>
        <dl className="facts">
          <Row
            label={t("system.historyState")}
            value={t(`historyState.${history.state}`)}
            worry={history.state === "unavailable" || history.state === "rebuilding"}
          />
          <Row label={t("system.rows")} value={fmt.integer(history.rows)} />
          <Row
            label={t("system.files")}
            value={t("system.filesOf", { n: history.files, size: fmt.bytes(history.bytes) })}
          />
          <Row
            label={t("system.perPoint")}
            value={
              history.rows > 0 && history.bytes > 0
                ? t("system.bytesEach", { n: fmt.number(history.bytes / history.rows, 1) })
                : "–"
            }
          />
          <Row label={t("system.applied")} value={fmt.integer(history.appliedLsn)} />
          <Row
            label={t("system.quarantined")}
            value={fmt.integer(history.quarantined)}
            worry={history.quarantined > 0}
          />
        </dl>
      </section>
      <section aria-label={t("system.process")}>
        <h2>{t("system.process")}</h2>
        <dl className="facts">
          <Row label={t("system.memory")} value={fmt.bytes(process.rssBytes)} />
          <Row label={t("system.cpu")} value={fmt.duration(process.cpuSeconds * 1e6)} />
          <Row
            label={t("system.loop")}
            value={`${fmt.number(process.loopLagMs, 1)} ms`}
            worry={process.loopLagMs > 200}
          />
          <Row label={t("system.streams")} value={fmt.integer(status.streams)} />
          <Row label={t("system.tags")} value={<a {...link("equipment")}>{fmt.integer(status.tags)}</a>} />
          <Row
            label={t("page.connections")}
            value={<a {...link("connections")}>{fmt.integer(status.connections)}</a>}
          />
        </dl>
      </section>
    </>
  );
}

function Events({ status }: { status: SystemStatus }) {
  return (
    <section aria-label={t("system.events")}>
      <h2>{t("system.events")}</h2>
      {status.events.length === 0 ? (
        <p className="footnote">{t("system.noEvents")}</p>
      ) : (
        <table className="plain">
          <caption className="unseen">{t("system.events")}</caption>
          <tbody>
            {[...status.events]
              .sort((a, b) => b.time - a.time)
              .map((event) => (
                <tr key={`${event.time} ${event.code} ${event.text}`}>
                  <td className="nowrap">{fmt.dateTime(event.time)}</td>
                  <td className="mono nowrap">{event.code}</td>
                  <td>{event.text}</td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
