import type { Connection } from "@lineshaft/contract/api";
import { Button, copyText } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import { useLoaded } from "../use.ts";

const againMs = 2_000;

/** The connector's own state in plain values, without secrets: what support asks for. */
export function DiagnosisView({ connection }: { connection: Connection }) {
  const { name } = connection;
  const found = useLoaded(
    `diagnosis ${name}`,
    (signal) => call("diagnoseConnection", { params: { connection: name }, signal }),
    againMs,
  );
  if (found.data === null)
    return found.error === null ? (
      <p className="quiet-wait">{t("wait.diagnosis")}</p>
    ) : (
      <ProblemView error={found.error} />
    );
  const copy = (): void => {
    void copyText(JSON.stringify(found.data, null, 2)).then((done) => note(t(done ? "copied" : "copy.failed")));
  };
  return (
    <section className="diagnosis" aria-label={t("connectionView.diagnosis")}>
      <div className="toolbar">
        <p className="soft">{t("diagnosis.what")}</p>
        <span className="spring" />
        <Button icon="copy" onClick={copy}>
          {t("copy")}
        </Button>
      </div>
      <Values value={found.data} />
    </section>
  );
}

function Values({ value }: { value: Record<string, unknown> }) {
  return (
    <dl className="facts">
      {Object.entries(value).map(([key, held]) => {
        const nested = typeof held === "object" && held !== null && !Array.isArray(held);
        return (
          <div key={key} className={nested ? "facts-nested" : ""}>
            <dt className="mono">{key}</dt>
            <dd>{nested ? <Values value={held as Record<string, unknown>} /> : textOf(held)}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return fmt.number(value, 3);
  if (Array.isArray(value))
    return value.length === 0
      ? "–"
      : value.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(", ");
  return String(value);
}
