import { type MasterDataImport, tableKinds } from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import { Button, Dialog, Field, Segments } from "../../kit/index.ts";
import { Faults } from "../configuration/faults.tsx";
import { getLocale, t } from "../i18n.ts";
import { ask } from "../platform.ts";
import { allowed } from "../session.ts";
import { fault, note } from "../toasts.tsx";
import { valueText } from "./history-dialog.tsx";
import { type PlanKind, reloadKind } from "./store.ts";

/** What the floor books has no page of its own: only files. */
const fileOnly = ["setUp", "lateScrap", "booking"] as const;
export type FileKind = PlanKind | (typeof fileOnly)[number];
const isFileOnly = (kind: FileKind): kind is (typeof fileOnly)[number] => fileOnly.some((one) => one === kind);

const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const isTable = (kind: FileKind): boolean => (tableKinds as readonly string[]).includes(kind);
/** Times without a zone are meant where the reader is, as far as no calendar says where the machine is. */
const viewerZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
const shownMax = 200;

/** In and out as files, for the kinds of a page. */
export function TransferButtons({ kinds }: { kinds: readonly [FileKind, ...FileKind[]] }) {
  const [open, setOpen] = useState<"import" | "export" | null>(null);
  const may = allowed("configure") || (allowed("book") && kinds.includes("order"));
  return (
    <>
      {may && <Button onClick={() => setOpen("import")}>{t("transfer.import")}</Button>}
      <Button onClick={() => setOpen("export")}>{t("transfer.export")}</Button>
      {open === "import" && <ImportDialog kinds={kinds} onClose={() => setOpen(null)} />}
      {open === "export" && <ExportDialog kinds={kinds} onClose={() => setOpen(null)} />}
    </>
  );
}

function KindChoice(props: { kinds: readonly FileKind[]; kind: FileKind; onChange(kind: FileKind): void }) {
  if (props.kinds.length < 2) return null;
  return (
    <Segments<FileKind>
      label={t("transfer.kind")}
      value={props.kind}
      choices={props.kinds.map((value) => ({ value, label: t(`kind.${value}`) }))}
      onChange={props.onChange}
    />
  );
}

type Format = "xlsx" | "csv" | "csvComma" | "json" | "yaml";

function ExportDialog({ kinds, onClose }: { kinds: readonly [FileKind, ...FileKind[]]; onClose(): void }) {
  const [kind, setKind] = useState<FileKind>(kinds[0]);
  const formats: Format[] = isTable(kind)
    ? ["xlsx", getLocale() === "de" ? "csvComma" : "csv", getLocale() === "de" ? "csv" : "csvComma", "json", "yaml"]
    : ["yaml", "json"];
  const [wanted, setWanted] = useState<Format>("xlsx");
  const format = formats.includes(wanted) ? wanted : formats[0];
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const query = new URLSearchParams({
        format: format === "csvComma" ? "csv" : format,
        decimal: format === "csvComma" ? "comma" : "point",
        timeZone: viewerZone(),
      });
      const response = await ask("GET", `/master-data/${kind}/export?${query}`, { accept: "*/*" });
      const url = URL.createObjectURL(await response.blob());
      const anchor = document.createElement("a");
      anchor.href = url;
      anchor.download = `${kind}.${format === "csvComma" ? "csv" : format}`;
      anchor.click();
      URL.revokeObjectURL(url);
      onClose();
    } catch (error) {
      fault(error, t("transfer.exportFailed"));
    }
    setBusy(false);
  };
  return (
    <Dialog title={t("transfer.exportTitle")} closeLabel={t("close")} onClose={onClose}>
      <KindChoice kinds={kinds} kind={kind} onChange={setKind} />
      <Field label={t("transfer.format")} hint={t(`transfer.hint.${format}`)}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={format}
            onChange={(event) => setWanted(event.target.value as Format)}
          >
            {formats.map((one) => (
              <option key={one} value={one}>
                {t(`transfer.format.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <p className="soft">{t("transfer.roundTrip")}</p>
      <div className="form-buttons">
        <Button kind="main" disabled={busy} onClick={() => void save()}>
          {t("transfer.save")}
        </Button>
        <Button kind="quiet" onClick={onClose}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}

type State =
  | { state: "choosing" }
  | { state: "reading"; file: File }
  | { state: "tried"; file: File; found: MasterDataImport }
  | { state: "failed"; file: File; error: unknown };

function typeOf(name: string): string {
  if (/\.xlsx$/i.test(name)) return xlsx;
  if (/\.json$/i.test(name)) return "application/json";
  return /\.ya?ml$/i.test(name) ? "application/yaml" : "text/csv";
}

/** A file is tried first: what it would do stands there line by line; only then it is taken, all of it or nothing. */
export function ImportDialog({ kinds, onClose }: { kinds: readonly [FileKind, ...FileKind[]]; onClose(): void }) {
  const [kind, setKind] = useState<FileKind>(kinds[0]);
  const [state, setState] = useState<State>({ state: "choosing" });
  const input = useRef<HTMLInputElement>(null);
  const send = async (file: File, dryRun: boolean, revision?: number): Promise<void> => {
    setState({ state: "reading", file });
    try {
      const query = new URLSearchParams({ dryRun: String(dryRun), timeZone: viewerZone() });
      const response = await ask("POST", `/master-data/${kind}/import?${query}`, {
        body: file,
        type: typeOf(file.name),
        ...(revision === undefined ? {} : { revision }),
      });
      const found = (await response.json()) as MasterDataImport;
      if (dryRun) return setState({ state: "tried", file, found });
      note(t("transfer.done", { created: found.counts.create, changed: found.counts.change }));
      onClose();
      // Bookings make orders what they are.
      await reloadKind(isFileOnly(kind) ? "order" : kind);
    } catch (error) {
      setState({ state: "failed", file, error });
    }
  };
  const onKind = (next: FileKind): void => {
    setKind(next);
    setState({ state: "choosing" });
  };
  // A file that was mended outside is read again by choosing it again.
  useEffect(() => input.current?.focus(), []);
  const changes = state.state === "tried" ? state.found.counts.create + state.found.counts.change : 0;
  return (
    <Dialog title={t("transfer.importTitle")} closeLabel={t("close")} onClose={onClose} className="dialog-broad">
      <KindChoice kinds={kinds} kind={kind} onChange={onKind} />
      <p className="soft">{t(isTable(kind) ? "transfer.importHint" : "transfer.importTextHint")}</p>
      <input
        ref={input}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-label={t("import.choose")}
        accept={isTable(kind) ? ".csv,.txt,.tsv,.xlsx,.json,.yaml,.yml" : ".json,.yaml,.yml"}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = "";
          if (file !== undefined) void send(file, true);
        }}
      />
      {state.state === "reading" && <p className="quiet-wait">{t("importTags.reading", { name: state.file.name })}</p>}
      {state.state === "failed" && (
        <>
          <p className="bad" role="status">
            {t("transfer.nothingDone", { name: state.file.name })}
          </p>
          <Faults error={state.error} />
        </>
      )}
      {state.state === "tried" && <DryRun file={state.file.name} found={state.found} />}
      <div className="form-buttons">
        {state.state === "tried" && (
          <Button
            kind="main"
            disabled={changes === 0}
            onClick={() => void send(state.file, false, state.found.revision)}
          >
            {changes === 0 ? t("change.applyNone") : t("change.apply", { n: changes })}
          </Button>
        )}
        <Button kind={state.state === "tried" ? "plain" : "main"} onClick={() => input.current?.click()}>
          {t("import.choose")}
        </Button>
        <Button kind="quiet" onClick={onClose}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}

function DryRun({ file, found }: { file: string; found: MasterDataImport }) {
  const { counts, items, notes } = found;
  const shown = items.filter(({ action }) => action !== "unchanged").slice(0, shownMax);
  return (
    <>
      <p role="status">
        {t("transfer.rows", { name: file, n: found.rows })}{" "}
        <b>{t("transfer.counts", { create: counts.create, change: counts.change, unchanged: counts.unchanged })}</b>
      </p>
      {notes.length > 0 && (
        <ul className="transfer-notes">
          {notes.map((one) => (
            <li key={`${one.line} ${one.column}`}>
              <span className="mono">{t("faults.line", { line: one.line, column: one.column })}</span>{" "}
              {t(`transfer.rule.${one.rule}`)}{" "}
              <span className="soft" lang="en">
                {one.message}
              </span>
            </li>
          ))}
        </ul>
      )}
      {shown.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: a region of a table, no fieldset
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too
        <div className="table-frame dry-run" role="group" aria-label={t("transfer.items")} tabIndex={0}>
          <table className="plain">
            <caption className="unseen">{t("transfer.items")}</caption>
            <thead>
              <tr>
                <th className="right">{t("transfer.line")}</th>
                <th>{t("transfer.action")}</th>
                <th>{t("transfer.id")}</th>
                <th>{t("transfer.changes")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((item) => (
                <tr key={item.id}>
                  <td className="right soft">{item.line}</td>
                  <td className="nowrap">{t(`transfer.${item.action}`)}</td>
                  <th scope="row">{item.id}</th>
                  <td className="plan-fields">
                    {item.action === "create" ? (
                      <span className="soft clip">
                        {item.changes
                          .filter(({ to }) => to !== null)
                          .map(({ field, to }) => `${field}: ${valueText(field, to)}`)
                          .join(" · ")}
                      </span>
                    ) : (
                      <dl>
                        {item.changes.map(({ field, from, to }) => (
                          <div key={field}>
                            <dt>{field}</dt>
                            <dd>
                              <del>{valueText(field, from)}</del> <span aria-hidden="true">→</span>{" "}
                              <ins>{valueText(field, to)}</ins>
                            </dd>
                          </div>
                        ))}
                      </dl>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
