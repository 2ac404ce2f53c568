import { type FormEvent, useRef, useState } from "react";
import { Button, EmptyState, Field, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { type Proposals, propose } from "./connectivity.ts";
import { changeDraft, getDraft } from "./draft.ts";
import { FailureView } from "./failure-view.tsx";
import type { StepProps } from "./wizard.tsx";

type Template = Record<string, unknown> & { topic: string };
type State =
  | { state: "idle" }
  | { state: "listening"; until: number }
  | { state: "heard"; found: Proposals }
  | { state: "failed"; error: unknown };

const templatesOf = (config: Record<string, unknown>): Template[] =>
  Array.isArray(config.templates) ? (config.templates as Template[]) : [];

/** Listens for a while and proposes how topics are read; nothing is stored meanwhile. What is ticked becomes the connection's templates. */
export function TemplatesStep({ draft, kind }: StepProps) {
  const [filters, setFilters] = useState("#");
  const [seconds, setSeconds] = useState(10);
  const [state, setState] = useState<State>({ state: "idle" });
  const abort = useRef<AbortController | null>(null);
  const chosen = templatesOf(draft.config);
  const set = (templates: Template[]): void => {
    const { templates: _, ...rest } = getDraft().config;
    changeDraft({ config: templates.length === 0 ? rest : { ...rest, templates } });
  };
  const listen = async (): Promise<void> => {
    abort.current = new AbortController();
    setState({ state: "listening", until: seconds });
    try {
      const { templates: _, ...config } = draft.config;
      const peer = { kind: kind.kind, config };
      const wanted = filters.split(/[\s,]+/).filter((one) => one !== "");
      setState({ state: "heard", found: await propose(peer, seconds, wanted, abort.current.signal) });
    } catch (error) {
      setState(abort.current.signal.aborted ? { state: "idle" } : { state: "failed", error });
    }
  };
  const found = state.state === "heard" ? state.found : null;
  const proposed = (found?.items ?? []).map((one) => ({ ...one, template: one.template as Template }));
  // A server of its own is listened to by dialling it; devices at the embedded broker are not there before the connection is.
  const listens = kind.mode === "connects";
  const others = chosen.filter(({ topic }) => proposed.every(({ template }) => template.topic !== topic));
  return (
    <div className="templates">
      {listens && (
        <div className="templates-ask">
          <TextField
            label={t("templates.filters")}
            hint={t("templates.filtersHint")}
            value={filters}
            onChange={setFilters}
            className="input mono"
          />
          <Field label={t("templates.seconds")}>
            {(id) => (
              <select
                id={id}
                className="input"
                value={seconds}
                onChange={(event) => setSeconds(Number(event.target.value))}
              >
                {[5, 10, 30, 60].map((n) => (
                  <option key={n} value={n}>
                    {n} s
                  </option>
                ))}
              </select>
            )}
          </Field>
          {state.state === "listening" ? (
            <Button onClick={() => abort.current?.abort()}>{t("browse.stop")}</Button>
          ) : (
            <Button kind="main" onClick={() => void listen()}>
              {t("templates.listen")}
            </Button>
          )}
        </div>
      )}
      <ByHand
        known={chosen.map(({ topic }) => topic)}
        onAdd={(template) => set([...chosen, template])}
        first={!listens}
      />
      {state.state === "listening" && (
        <p className="soft" role="status">
          <span className="live-dot listening" /> {t("templates.listening", { n: state.until })}
        </p>
      )}
      {state.state === "failed" && <FailureView error={state.error} />}
      {found !== null && (
        <p className="soft" role="status">
          {t(found.more ? "templates.heardMore" : "templates.heard", { n: proposed.length })}
        </p>
      )}
      {found !== null && proposed.length === 0 && (
        <EmptyState title={t("templates.silence")}>
          <p>{t("templates.silenceHint")}</p>
        </EmptyState>
      )}
      {(proposed.length > 0 || others.length > 0) && (
        <div className="table-frame">
          <table className="plain">
            <caption className="unseen">{t("templates.title")}</caption>
            <thead>
              <tr>
                <th>
                  <span className="unseen">{t("templates.take")}</span>
                </th>
                <th>{t("templates.topic")}</th>
                <th>{t("templates.payload")}</th>
                <th className="right">{t("templates.topics")}</th>
                <th>{t("templates.example")}</th>
              </tr>
            </thead>
            <tbody>
              {others.map((template) => (
                <Row
                  key={template.topic}
                  template={template}
                  on
                  topics={null}
                  example=""
                  onToggle={() => set(chosen.filter((one) => one !== template))}
                />
              ))}
              {proposed.map(({ template, topics, example }) => {
                const on = chosen.some(({ topic }) => topic === template.topic);
                return (
                  <Row
                    key={template.topic}
                    template={template}
                    on={on}
                    topics={topics}
                    example={example}
                    onToggle={() =>
                      set(on ? chosen.filter(({ topic }) => topic !== template.topic) : [...chosen, template])
                    }
                  />
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

/** A template as somebody writes it. */
function ByHand(props: { known: readonly string[]; first: boolean; onAdd(template: Template): void }) {
  const [topic, setTopic] = useState("");
  const [payload, setPayload] = useState("json");
  const add = (event: FormEvent): void => {
    event.preventDefault();
    props.onAdd({ topic: topic.trim(), payload });
    setTopic("");
  };
  const form = (
    <form className="templates-ask" onSubmit={add}>
      <TextField
        label={t("templates.topic")}
        hint={t("templates.topicHint")}
        placeholder="plant/{line}/{machine}/state"
        value={topic}
        onChange={setTopic}
        className="input mono"
      />
      <Field label={t("templates.payload")}>
        {(id) => (
          <select id={id} className="input" value={payload} onChange={(event) => setPayload(event.target.value)}>
            {["json", "scalar", "columns"].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      <Button
        kind={props.first ? "main" : "plain"}
        type="submit"
        disabled={topic.trim() === "" || props.known.includes(topic.trim())}
      >
        {t("templates.add")}
      </Button>
    </form>
  );
  if (props.first) return form;
  return (
    <details className="more-settings">
      <summary>{t("templates.byHand")}</summary>
      {form}
    </details>
  );
}

function Row(props: { template: Template; on: boolean; topics: number | null; example: string; onToggle(): void }) {
  const { template, on, topics, example, onToggle } = props;
  const values = Array.isArray(template.values) ? (template.values as { path: string }[]) : [];
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          aria-label={t("templates.takeThis", { topic: template.topic })}
          checked={on}
          onChange={onToggle}
        />
      </td>
      <th scope="row" className="mono">
        {template.topic}
      </th>
      <td>
        {String(template.payload ?? "scalar")}
        {values.length > 0 && <span className="soft block mono">{values.map(({ path }) => path).join(", ")}</span>}
      </td>
      <td className="right">{topics ?? "–"}</td>
      <td className="mono soft">{example}</td>
    </tr>
  );
}
