import { type ClipboardEvent, useEffect, useRef, useState } from "react";
import { Button, EmptyState } from "../../kit/index.ts";
import { withConnection } from "../configuration/editing.ts";
import { faultsOf } from "../configuration/faults.tsx";
import { planFor, readConfiguration } from "../configuration/service.ts";
import { t } from "../i18n.ts";
import { attachWorkbook, changeDraft, type Draft, type DraftTag, entryOf, getDraft, useWorkbook } from "./draft.ts";
import { choicesOf, type Schema } from "./schema.ts";
import { cellsOf, type TableFault, tagsOfCells, textOf } from "./tag-table.ts";
import type { StepProps } from "./wizard.tsx";

/** Rows on the screen at most; more are kept, and shown when they are looked for. */
const rowsShown = 200;
const dryRunMs = 500;

/** How addresses of a kind are written; what does not look like it is marked at once. */
const written: Partial<Record<string, { example: string; pattern: RegExp }>> = {
  modbus: {
    example: "holding:10",
    pattern:
      /^(\d{1,3}\/)?((coil|discrete|holding|input):\d{1,5}|\d{5,6})(\.\d{1,2})?(:[a-z]+\d*(\(\d{1,3}\))?)?(:[A-D]{4})?$/,
  },
  opcua: { example: "ns=2;s=Machine.Temperature", pattern: /^(ns=\d+;|nsu=.+;)?[isgb]=.+$/ },
};

/** A list of addresses: typed, pasted from a spreadsheet or read from a file, and tried against the server as it grows. */
export function ListStep({ draft, kind }: StepProps) {
  const [filter, setFilter] = useState("");
  const [faults, setFaults] = useState<readonly TableFault[]>([]);
  const rowFaults = useDryRun(draft);
  const file = useRef<HTMLInputElement>(null);
  const types = choicesOf((kind.tagOptions.properties?.dataType ?? {}) as Schema) as string[] | null;
  const { tags } = draft;
  const style = written[kind.kind];
  const workbook = useWorkbook();
  const set = (next: DraftTag[]): void => changeDraft({ tags: next });
  const change = (at: number, part: Partial<DraftTag>): void =>
    set(tags.map((tag, i) => (i === at ? cleaned({ ...tag, ...part }) : tag)));
  const take = (text: string): void => {
    const { tags: found, faults: wrong } = tagsOfCells(cellsOf(text), types !== null);
    const known = new Set(getDraft().tags.map(({ address }) => address));
    set([
      ...getDraft().tags.filter(({ address }) => address !== ""),
      ...found.filter((tag) => !known.has(tag.address)),
    ]);
    setFaults(wrong);
  };
  const onPaste = (event: ClipboardEvent): void => {
    const text = event.clipboardData.getData("text/plain");
    // One cell goes where the caret stands.
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    take(text);
  };
  const needle = filter.toLowerCase();
  const shown = tags
    .map((tag, at) => ({ tag, at }))
    .filter(({ tag }) => needle === "" || `${tag.address} ${tag.name ?? ""}`.toLowerCase().includes(needle));
  const odd = (address: string): string | null =>
    style !== undefined && address !== "" && !style.pattern.test(address)
      ? t("list.oddAddress", { example: style.example })
      : null;
  return (
    <div className="list-step" onPaste={onPaste}>
      <div className="toolbar">
        {tags.length > 12 && (
          <input
            className="input filter"
            type="search"
            aria-label={t("list.filter")}
            placeholder={t("list.filter")}
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        )}
        <span className="count" role="status">
          {t("tags.count", { n: tags.filter(({ address }) => address !== "").length })}
        </span>
        <span className="spring" />
        <Button onClick={() => file.current?.click()}>{t("list.file")}</Button>
        <input
          ref={file}
          type="file"
          className="unseen"
          tabIndex={-1}
          aria-label={t("list.file")}
          accept=".csv,.txt,.tsv,.xlsx,text/csv"
          onChange={(event) => {
            const [chosen] = event.target.files ?? [];
            event.target.value = "";
            if (chosen !== undefined && /\.xlsx$/i.test(chosen.name)) attachWorkbook(chosen);
            else void chosen?.arrayBuffer().then((bytes) => take(textOf(bytes)));
          }}
        />
        <Button icon="plus" onClick={() => set([...tags, { address: "" }])}>
          {t("list.add")}
        </Button>
      </div>
      {faults.length > 0 && (
        <ul className="list-faults" role="alert">
          {faults.slice(0, 20).map(({ row, code, text }) => (
            <li key={row}>{t(`list.${code}`, { row, text })}</li>
          ))}
        </ul>
      )}
      {workbook !== null && (
        <p className="follow-note" role="status">
          <span>{t("list.workbook", { name: workbook.name })}</span>
          <Button kind="quiet" icon="close" aria-label={t("list.remove")} onClick={() => attachWorkbook(null)} />
        </p>
      )}
      {tags.length === 0 ? (
        <EmptyState title={t("list.empty")}>
          <p>{t("list.emptyHint", { example: style?.example ?? "…" })}</p>
          <Button kind="main" icon="plus" onClick={() => set([{ address: "" }])}>
            {t("list.add")}
          </Button>
        </EmptyState>
      ) : (
        <div className="table-frame">
          <table className="plain edit-table">
            <caption className="unseen">{t("tags.title")}</caption>
            <thead>
              <tr>
                <th>{t("column.address")}</th>
                <th>{t("column.name")}</th>
                <th>{t("column.unit")}</th>
                {types !== null && <th>{t("column.type")}</th>}
                <th>
                  <span className="unseen">{t("list.remove")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, rowsShown).map(({ tag, at }) => (
                <tr key={at} className={rowFaults.has(at) ? "row-fault" : ""}>
                  <td>
                    <input
                      className="input mono"
                      aria-label={t("list.addressOf", { n: at + 1 })}
                      placeholder={style?.example}
                      spellCheck={false}
                      // biome-ignore lint/a11y/noAutofocus: a new row is there to be filled
                      autoFocus={tag.address === ""}
                      value={tag.address}
                      onChange={(event) => change(at, { address: event.target.value })}
                      onKeyDown={(event) => {
                        if (event.key !== "Enter") return;
                        event.preventDefault();
                        if (at === tags.length - 1 && tag.address !== "") set([...tags, { address: "" }]);
                      }}
                    />
                    {(rowFaults.get(at) ?? odd(tag.address)) !== null && (
                      <span className="field-fault">{rowFaults.get(at) ?? odd(tag.address)}</span>
                    )}
                  </td>
                  <td>
                    <input
                      className="input"
                      aria-label={t("list.nameOf", { n: at + 1 })}
                      value={tag.name ?? ""}
                      onChange={(event) => change(at, { name: event.target.value })}
                    />
                  </td>
                  <td>
                    <input
                      className="input input-unit"
                      aria-label={t("list.unitOf", { n: at + 1 })}
                      title={t("inspector.unitHint")}
                      value={tag.unit ?? ""}
                      onChange={(event) => change(at, { unit: event.target.value })}
                    />
                  </td>
                  {types !== null && (
                    <td>
                      <select
                        className="input"
                        aria-label={t("list.typeOf", { n: at + 1 })}
                        value={String(tag.options?.dataType ?? "")}
                        onChange={(event) => change(at, { options: withType(tag, event.target.value) })}
                      >
                        <option value="">{t("list.typeDefault")}</option>
                        {types.map((type) => (
                          <option key={type}>{type}</option>
                        ))}
                      </select>
                    </td>
                  )}
                  <td className="right">
                    <Button
                      kind="quiet"
                      icon="close"
                      aria-label={t("list.removeRow", { n: at + 1 })}
                      onClick={() => set(tags.filter((_, i) => i !== at))}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown.length > rowsShown && <p className="footnote">{t("list.more", { n: shown.length - rowsShown })}</p>}
    </div>
  );
}

const withType = ({ options = {} }: DraftTag, type: string): Record<string, unknown> => {
  const { dataType: _, ...others } = options;
  return type === "" ? others : { ...others, dataType: type };
};

/** What was emptied is not there. */
function cleaned(tag: DraftTag): DraftTag {
  const { name, unit, options, ...rest } = tag;
  return {
    ...rest,
    ...(name ? { name } : {}),
    ...(unit ? { unit } : {}),
    ...(options !== undefined && Object.keys(options).length > 0 ? { options } : {}),
  };
}

/** What the server would say to each row, asked a moment after the last change. */
function useDryRun(draft: Draft): ReadonlyMap<number, string> {
  const [faults, setFaults] = useState<ReadonlyMap<number, string>>(new Map());
  useEffect(() => {
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      rowFaultsOf(draft, abort.signal)
        .then(setFaults)
        .catch(() => {});
    }, dryRunMs);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [draft]);
  return faults;
}

async function rowFaultsOf(draft: Draft, signal: AbortSignal): Promise<ReadonlyMap<number, string>> {
  const { configuration } = await readConfiguration(undefined, signal);
  const given = draft.tags.map((tag, at) => ({ tag, at })).filter(({ tag }) => tag.address !== "");
  const entry = entryOf({ ...draft, tags: given.map(({ tag }) => tag) });
  // Only this connection is tried: what else stands in the configuration is not in question.
  const { models, equipment } = configuration;
  const alone = withConnection(
    { version: 1, ...(models ? { models } : {}), ...(equipment ? { equipment } : {}) },
    entry,
  );
  const found = new Map<number, string>();
  try {
    await planFor({ value: alone }, signal);
  } catch (error) {
    for (const { path, message } of faultsOf(error)) {
      const row = /^\/connections\/\d+\/tags\/(\d+)/.exec(path)?.[1];
      const at = row === undefined ? undefined : given[Number(row)]?.at;
      if (at !== undefined) found.set(at, message);
    }
  }
  return found;
}
