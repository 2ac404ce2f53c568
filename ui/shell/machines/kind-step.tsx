import { useState } from "react";
import { EmptyState, Icon } from "../../kit/index.ts";
import { matches } from "../directory.ts";
import { FirstBatch } from "../first-batch.tsx";
import { type PlainKey, t } from "../i18n.ts";
import type { Kind } from "./connectivity.ts";
import { changeDraft, getDraft } from "./draft.ts";

/** What people call the machines that speak it. */
const known: Partial<Record<string, PlainKey>> = {
  opcua: "kind.opcua",
  modbus: "kind.modbus",
  mqtt: "kind.mqtt",
  "mqtt-broker": "kind.mqttBroker",
  sparkplug: "kind.sparkplug",
  "sparkplug-broker": "kind.sparkplugBroker",
};

/** How does the machine speak? One list; what comes by HTTP needs no connection of ours. */
export function KindStep(props: { kinds: readonly Kind[]; onChosen(): void }) {
  const [text, setText] = useState("");
  const [http, setHttp] = useState(false);
  const hint = (kind: string): string => {
    const key = known[kind];
    return key === undefined ? "" : t(key);
  };
  const fitting = props.kinds.filter(({ kind, title }) => text === "" || matches(text, kind, title, hint(kind)));
  const choose = (kind: string): void => {
    // Another kind has other settings; the same one keeps what was entered.
    if (kind !== getDraft().kind) changeDraft({ kind, config: {}, tags: [] });
    props.onChosen();
  };
  if (http) return <FirstBatch />;
  return (
    <>
      <input
        className="input filter"
        type="search"
        aria-label={t("kind.filter")}
        placeholder={t("kind.filter")}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <ul className="kinds">
        {fitting.map(({ kind, title, mode }) => (
          <li key={kind}>
            <button type="button" className="kind-row" onClick={() => choose(kind)}>
              <span className="kind-title">{title}</span>
              <span className="kind-mode soft">{t(`kind.${mode}`)}</span>
              <span className="kind-hint soft">{hint(kind)}</span>
              <Icon name="right" size={16} />
            </button>
          </li>
        ))}
        {(text === "" || matches(text, "http rest api", t("kind.http"))) && (
          <li>
            <button type="button" className="kind-row" onClick={() => setHttp(true)}>
              <span className="kind-title">HTTP</span>
              <span className="kind-mode soft">{t("kind.listens")}</span>
              <span className="kind-hint soft">{t("kind.http")}</span>
              <Icon name="right" size={16} />
            </button>
          </li>
        )}
      </ul>
      {fitting.length === 0 && (
        <EmptyState title={t("kind.none")}>
          <p>{t("kind.noneHint")}</p>
        </EmptyState>
      )}
    </>
  );
}
