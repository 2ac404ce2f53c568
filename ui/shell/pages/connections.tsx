import type { Connection } from "@lineshaft/contract/api";
import { ageText, EmptyState } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { FirstBatch } from "../first-batch.tsx";
import { fmt, t } from "../i18n.ts";
import { link } from "../router.ts";
import { useNow } from "../use.ts";

const order: Record<Connection["state"], number> = { silent: 0, active: 1, never: 2 };

export function ConnectionsPage() {
  const { connections, state } = useDirectory();
  const now = useNow();
  if (state === "loading") return <p className="quiet-wait">{t("wait.connections")}</p>;
  if (connections.length === 0)
    return (
      <div className="page-scroll">
        <FirstBatch />
      </div>
    );
  // What needs a look stands first; otherwise by name.
  const rows = [...connections].sort((a, b) => order[a.state] - order[b.state] || a.name.localeCompare(b.name));
  const silent = rows.filter((row) => row.state === "silent").length;
  return (
    <div className="page-scroll">
      <p className={`summary ${silent > 0 ? "attention" : ""}`} role="status">
        {silent > 0
          ? t("connections.summary", { n: rows.length, silent })
          : t("connections.summaryGood", { n: rows.length })}
      </p>
      <div className="table-frame">
        <table className="plain">
          <caption className="unseen">{t("page.connections")}</caption>
          <thead>
            <tr>
              <th>{t("connections.name")}</th>
              <th>{t("connections.state")}</th>
              <th className="right">{t("connections.lastBatch")}</th>
              <th className="right">{t("connections.rate")}</th>
              <th className="right">{t("connections.tags")}</th>
              <th className="wide-only">{t("connections.delivery")}</th>
              <th className="right wide-only">{t("sums.offered")}</th>
              <th className="right">{t("sums.stored")}</th>
              <th className="right wide-only">{t("sums.duplicates")}</th>
              <th className="right">{t("sums.rejected")}</th>
              <th className="right">{t("sums.dropped")}</th>
              <th className="right wide-only">{t("sums.pending")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((connection) => (
              <ConnectionRow key={connection.id} connection={connection} now={now} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="footnote wide-only">{t("connections.sumRule")}</p>
      {rows.every((row) => row.state === "never") && (
        <EmptyState title={t("connections.nothingYet")}>
          <p>{t("connections.nothingYetHint")}</p>
        </EmptyState>
      )}
    </div>
  );
}

function ConnectionRow({ connection, now }: { connection: Connection; now: number }) {
  const { sums } = connection;
  return (
    <tr>
      <th scope="row" className="nowrap">
        <a {...link("equipment", { node: "all", q: connection.name })}>{connection.name}</a>
        <span className="soft wide-only"> {connection.kind}</span>
        {connection.scope !== "" && <span className="soft"> · {connection.scope}</span>}
      </th>
      <td>
        <span className={`state-word state-${connection.state}`}>{t(`connections.${connection.state}`)}</span>
      </td>
      <td className="right" title={connection.lastBatchUs === null ? undefined : fmt.exact(connection.lastBatchUs)}>
        {connection.lastBatchUs === null
          ? "–"
          : t("connections.ago", { age: ageText(now - connection.lastBatchUs, fmt) })}
      </td>
      <td className="right">{fmt.rate(connection.ratePerSecond)}</td>
      <td className="right" title={t("connections.quota", { n: connection.tagQuota })}>
        {fmt.integer(connection.tags)}
      </td>
      <td className="wide-only" title={t(`deliveryHint.${connection.delivery}`)}>
        {t(`delivery.${connection.delivery}`)}
      </td>
      <td className="right wide-only">{fmt.integer(sums.offered)}</td>
      <td className="right">{fmt.integer(sums.stored)}</td>
      <td className="right soft wide-only">{fmt.integer(sums.duplicates)}</td>
      <td className="right">
        {sums.rejected > 0 ? (
          <a className="attention" {...link("rejected", { connection: connection.name })}>
            {fmt.integer(sums.rejected)}
          </a>
        ) : (
          <span className="soft">0</span>
        )}
      </td>
      <td className={`right ${sums.dropped > 0 ? "attention" : "soft"}`}>{fmt.integer(sums.dropped)}</td>
      <td className="right soft wide-only">{fmt.integer(sums.pending)}</td>
    </tr>
  );
}
