import type { TagImport } from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { Faults } from "../configuration/faults.tsx";
import { changesOf, PlanView } from "../configuration/plan-view.tsx";
import { reloadDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { ask } from "../platform.ts";
import { note } from "../toasts.tsx";

const csv = "text/csv";
const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

async function send(connection: string, file: File, dryRun: boolean): Promise<TagImport> {
  const path = `/connections/${encodeURIComponent(connection)}/tags/import${dryRun ? "?dryRun=true" : ""}`;
  const type = /\.xlsx$/i.test(file.name) ? xlsx : csv;
  const response = await ask("POST", path, { body: file, type });
  return (await response.json()) as TagImport;
}

type State =
  | { state: "choosing" }
  | { state: "reading"; file: File }
  | { state: "tried"; file: File; found: TagImport }
  | { state: "failed"; file: File; error: unknown };

/** A table of tags as spreadsheets write it: tried first, row by row, then taken. */
export function ImportTags(props: {
  connection: string;
  /** Chosen already; null: it is asked for. */
  file: File | null;
  onClose(): void;
}) {
  const [state, setState] = useState<State>({ state: "choosing" });
  const input = useRef<HTMLInputElement>(null);
  const attempt = async (file: File, dryRun: boolean): Promise<void> => {
    setState({ state: "reading", file });
    try {
      const found = await send(props.connection, file, dryRun);
      if (dryRun) return setState({ state: "tried", file, found });
      note(t("importTags.done", { n: changesOf(found.plan) }));
      props.onClose();
      await reloadDirectory();
    } catch (error) {
      setState({ state: "failed", file, error });
    }
  };
  const first = useRef(props.file);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what was there at the beginning
  useEffect(() => {
    const file = first.current;
    first.current = null;
    if (file !== null) void attempt(file, true);
  }, []);
  return (
    <Dialog
      title={t("importTags.title", { name: props.connection })}
      closeLabel={t("close")}
      onClose={props.onClose}
      wide
    >
      <p className="soft">{t("importTags.hint")}</p>
      <input
        ref={input}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-label={t("import.choose")}
        accept=".csv,.txt,.tsv,.xlsx"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = "";
          if (file !== undefined) void attempt(file, true);
        }}
      />
      {state.state === "reading" && <p className="quiet-wait">{t("importTags.reading", { name: state.file.name })}</p>}
      {state.state === "failed" && <Faults error={state.error} />}
      {state.state === "tried" && (
        <>
          <p role="status">{t("importTags.rows", { name: state.file.name, n: state.found.rows })}</p>
          <PlanView plan={state.found.plan} />
        </>
      )}
      <div className="form-buttons">
        {state.state === "tried" && (
          <Button
            kind="main"
            disabled={changesOf(state.found.plan) === 0}
            onClick={() => void attempt(state.file, false)}
          >
            {changesOf(state.found.plan) === 0
              ? t("change.applyNone")
              : t("change.apply", { n: changesOf(state.found.plan) })}
          </Button>
        )}
        <Button kind={state.state === "tried" ? "plain" : "main"} onClick={() => input.current?.click()}>
          {t("import.choose")}
        </Button>
        <Button kind="quiet" onClick={props.onClose}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}
