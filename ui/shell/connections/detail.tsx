import type { Connection } from "@lineshaft/contract/api";
import { useState } from "react";
import { ageText, Button, EmptyState, Segments } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { FailureNotice } from "../machines/failure-view.tsx";
import { TrustDialog } from "../machines/trust-dialog.tsx";
import { go, link, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { useNow } from "../use.ts";
import { ConnectionButtons } from "./buttons.tsx";
import { CertificatesView } from "./certificates-view.tsx";
import { DiagnosisView } from "./diagnosis-view.tsx";
import { certificateDays, failureOf, figuresOf, isSlow, lastGoodOf, stateOf, warningsOf } from "./health.ts";
import { StateWord } from "./list.tsx";
import { StoryView } from "./story-view.tsx";
import { TagsView } from "./tags-view.tsx";
import { WireView } from "./wire-view.tsx";

const views = ["tags", "story", "wire", "certificates", "diagnosis"] as const;
type View = (typeof views)[number];

/** One connection: how it is and was, what it brings, and everything to find out why. */
export function ConnectionDetail({ name, connection }: { name: string; connection: Connection | null }) {
  const { query } = usePlace();
  const view = views.find((one) => one === query.get("view")) ?? "tags";
  if (connection === null)
    return (
      <EmptyState title={t("connection.unknown", { name })}>
        <p>{t("connection.unknownHint")}</p>
        <Button onClick={() => go("connections")}>{t("connection.back")}</Button>
      </EmptyState>
    );
  const ours = connection.health !== undefined && allowed("configure");
  const certified = connection.kind === "opcua" || certificateDays(connection) !== null;
  const shown = views.filter(
    (one) => one === "tags" || one === "story" || (ours && (one !== "certificates" || certified)),
  );
  return (
    <div className="connection">
      <nav className="path" aria-label={t("connection.path")}>
        <a {...link("connections")}>{t("page.connections")}</a>
        <a aria-current="location" {...link("connections", { name })}>
          {name}
        </a>
      </nav>
      <header className="toolbar">
        <StateWord connection={connection} />
        <h2>{name}</h2>
        <span className="soft">
          {connection.kind}
          {connection.scope !== "" && ` · ${connection.scope}`}
        </span>
        <span className="spring" />
        <ConnectionButtons connection={connection} />
      </header>
      <Trouble connection={connection} />
      <Facts connection={connection} />
      <Sums connection={connection} />
      <Segments<View>
        label={t("connection.views")}
        value={view}
        choices={shown.map((value) => ({ value, label: t(`connectionView.${value}`) }))}
        onChange={(next) => go("connections", { name, view: next === "tags" ? null : next }, "replace")}
      />
      {view === "tags" && <TagsView connection={connection} />}
      {view === "story" && <StoryView connection={connection} />}
      {view === "wire" && ours && <WireView connection={connection} />}
      {view === "certificates" && ours && certified && <CertificatesView connection={connection} />}
      {view === "diagnosis" && ours && <DiagnosisView connection={connection} />}
    </div>
  );
}

/** What is wrong, and the step that mends it where the console can take it. */
function Trouble({ connection }: { connection: Connection }) {
  const [trusting, setTrusting] = useState(false);
  const failure = failureOf(connection);
  const warnings = warningsOf(connection);
  const { health, name } = connection;
  return (
    <>
      {failure !== null && (
        <FailureNotice failure={failure}>
          {failure.fault === "untrusted" && allowed("configure") && (
            <Button kind="main" onClick={() => setTrusting(true)}>
              {t("trust.look")}
            </Button>
          )}
          {health?.retryAt != null && <RetryAt us={health.retryAt} />}
        </FailureNotice>
      )}
      {warnings.map((warning) => (
        <p key={warning} className="follow-note warn">
          {warning}
        </p>
      ))}
      {trusting && failure !== null && (
        <TrustDialog store={{ connection: name }} named={failure.technical} onClose={() => setTrusting(false)} />
      )}
    </>
  );
}

function RetryAt({ us }: { us: number }) {
  const now = useNow();
  return (
    <span className="soft">
      {us > now ? t("connection.retryIn", { age: ageText(us - now, fmt) }) : t("connection.retrying")}
    </span>
  );
}

function Facts({ connection }: { connection: Connection }) {
  const now = useNow();
  const figures = figuresOf(connection);
  const good = lastGoodOf(connection);
  const since = connection.health?.since ?? null;
  const expected = figures?.expectedRatePerSecond ?? null;
  const days = certificateDays(connection);
  const facts: [label: string, value: string, worry: boolean, title?: string][] = [
    [
      t("connection.since", { state: t(`state.${stateOf(connection)}`) }),
      since === null ? "–" : ageText(now - since, fmt),
      false,
      since === null ? undefined : fmt.exact(since),
    ],
    [
      t("connection.good"),
      good === null ? "–" : t("connections.ago", { age: ageText(now - good, fmt) }),
      false,
      good === null ? undefined : fmt.exact(good),
    ],
    [
      expected === null ? t("connection.rate") : t("connection.rateExpected"),
      fmt.rate(connection.ratePerSecond) + (expected === null ? "" : ` / ${fmt.rate(expected)}`),
      isSlow(connection),
    ],
    [
      t("connection.lag"),
      figures?.lagMs == null ? "–" : fmt.duration(figures.lagMs * 1000),
      false,
      t("connection.lagHint"),
    ],
    [
      t("connection.reconnects"),
      figures === null ? "–" : fmt.integer(figures.reconnects),
      false,
      t("connection.reconnectsHint"),
    ],
    [t("connection.delivery"), t(`delivery.${connection.delivery}`), false, t(`deliveryHint.${connection.delivery}`)],
    [t("connection.tags"), fmt.integer(connection.tags), false, t("connections.quota", { n: connection.tagQuota })],
    [t("connection.certificate"), days === null ? "–" : t("connections.days", { n: days }), days !== null && days < 30],
  ];
  return (
    <dl className="strip connection-facts">
      {facts.map(([label, value, worry, title]) => (
        <div key={label} className={`strip-item ${worry ? "worry" : ""}`} title={title}>
          <dt className="strip-label">{label}</dt>
          <dd className="strip-value">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The sum rule on one line: nothing is lost silently. */
function Sums({ connection }: { connection: Connection }) {
  const { sums, name } = connection;
  const parts = ["stored", "duplicates", "rejected", "dropped", "pending"] as const;
  return (
    <p className="sum-line">
      <span>
        {t("sums.offered")} <b>{fmt.integer(sums.offered)}</b>
      </span>
      {parts.map((part, i) => (
        <span key={part} title={t(`sumsHint.${part}`)}>
          <span className="sign" aria-hidden="true">
            {i === 0 ? "=" : "+"}
          </span>{" "}
          {part === "rejected" && sums.rejected > 0 ? (
            <a className="attention" {...link("rejected", { connection: name })}>
              {t("sums.rejected")} <b>{fmt.integer(sums.rejected)}</b>
            </a>
          ) : (
            <span className={part === "dropped" && sums.dropped > 0 ? "attention" : ""}>
              {t(`sums.${part}`)} <b>{fmt.integer(sums[part])}</b>
            </span>
          )}
        </span>
      ))}
    </p>
  );
}
