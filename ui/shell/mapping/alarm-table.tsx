import { useEffect, useRef } from "react";
import { Button, Field } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import type { AlarmDraft, AlarmRowDraft } from "./alarm-draft.ts";
import type { DraftFaults } from "./draft.ts";
import { ReasonSelect } from "./meaning-fields.tsx";
import type { Reasons } from "./meaning-mark.tsx";

/** The table of an alarm tag: what stands for all of it, rows of values and ranges, and what becomes of the others. */
export function AlarmTable(props: {
  draft: AlarmDraft;
  faults: DraftFaults;
  reasons: Reasons;
  /** The row that was just added, to be filled in. */
  fresh: number | null;
  onChange(draft: AlarmDraft): void;
  onAdd(): void;
}) {
  const { draft, faults, reasons, fresh, onChange } = props;
  const table = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (fresh === null) return;
    const row = table.current?.querySelector(`[data-row="${fresh}"]`);
    const first = row?.querySelector<HTMLInputElement>('[data-field="value"]');
    if (first?.value === "") first.focus();
    else row?.querySelector<HTMLElement>('[data-field="text"]')?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }, [fresh]);
  const set = (part: Partial<AlarmDraft>): void => onChange({ ...draft, ...part });
  const change = (id: number, part: Partial<AlarmRowDraft>): void =>
    set({ rows: draft.rows.map((row) => (row.id === id ? { ...row, ...part } : row)) });
  const all = t("alarm.all");
  return (
    <>
      <fieldset className="alarm-all">
        <legend>{all}</legend>
        <p className="field-hint">{t("alarm.allHint")}</p>
        <div className="mapping-head">
          {(["de", "en"] as const).map((language) => (
            <Field key={language} label={t(`alarm.text.${language}`)}>
              {(id) => (
                <input
                  id={id}
                  className="input"
                  maxLength={256}
                  value={draft[language]}
                  onChange={(event) => set({ [language]: event.target.value })}
                />
              )}
            </Field>
          ))}
          <Field
            label={t("alarm.severity")}
            hint={t("alarm.severityHint")}
            fault={faults.has("alarm") ? t("mapping.fault.severity") : null}
          >
            {(id) => (
              <input
                id={id}
                className="input"
                inputMode="numeric"
                placeholder="500"
                value={draft.severity}
                onChange={(event) => set({ severity: event.target.value })}
              />
            )}
          </Field>
          <div className="field">
            <span className="label">{t("alarm.cause")}</span>
            <ReasonSelect of={all} value={draft.cause} reasons={reasons} onChange={(cause) => set({ cause })} />
          </div>
          {draft.rows.length === 0 && (
            <Field label={t("alarm.code")} hint={t("alarm.codeHint")}>
              {(id) => (
                <input
                  id={id}
                  className="input mono"
                  maxLength={128}
                  value={draft.code}
                  onChange={(event) => set({ code: event.target.value })}
                />
              )}
            </Field>
          )}
          <Field label={t("alarm.otherwise")}>
            {(id) => (
              <select
                id={id}
                className="input"
                value={draft.otherwise}
                onChange={(event) => set({ otherwise: event.target.value === "none" ? "none" : "value" })}
              >
                <option value="value">{t("alarm.otherwise.value")}</option>
                <option value="none">{t("alarm.otherwise.none")}</option>
              </select>
            )}
          </Field>
        </div>
      </fieldset>
      {draft.rows.length > 0 && (
        <div className="mapping-scroll" ref={table}>
          <table className="plain mapping-table alarm-table">
            <caption className="unseen">{t("alarm.table")}</caption>
            <thead>
              <tr>
                <th>{t("mapping.by")}</th>
                <th>{t("mapping.raw")}</th>
                <th>{t("alarm.is")}</th>
                <th>{t("alarm.text")}</th>
                <th>{t("alarm.severity")}</th>
                <th>{t("mapping.reason")}</th>
                <th>
                  <span className="unseen">{t("mapping.removeHead")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {draft.rows.map((row, i) => (
                <Row
                  key={row.id}
                  row={row}
                  of={t("mapping.row", { n: i + 1 })}
                  fault={faults.get(`row ${row.id}`)}
                  reasons={reasons}
                  onChange={(part) => change(row.id, part)}
                  onRemove={() => set({ rows: draft.rows.filter(({ id }) => id !== row.id) })}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="form-buttons">
        <Button icon="plus" onClick={props.onAdd}>
          {t("mapping.add")}
        </Button>
      </div>
    </>
  );
}

function Row(props: {
  row: AlarmRowDraft;
  of: string;
  fault: ReturnType<DraftFaults["get"]>;
  reasons: Reasons;
  onChange(part: Partial<AlarmRowDraft>): void;
  onRemove(): void;
}) {
  const { row, of, fault, onChange } = props;
  const input = (name: "value" | "from" | "to" | "code" | "de" | "en" | "severity", label: string, hint?: string) => (
    <input
      className={`input ${name === "code" ? "mono" : ""}`}
      aria-label={label}
      placeholder={hint}
      data-field={name === "value" ? "value" : name === "de" ? "text" : undefined}
      inputMode={name === "severity" ? "numeric" : undefined}
      spellCheck={false}
      autoComplete="off"
      maxLength={name === "code" ? 128 : 256}
      value={row[name]}
      onChange={(event) => onChange({ [name]: event.target.value })}
    />
  );
  return (
    <tr data-row={row.id} className={fault === undefined ? "" : "mapping-faulty"}>
      <td>
        <select
          className="input"
          aria-label={t("mapping.byOf", { of })}
          value={row.by}
          onChange={(event) => onChange({ by: event.target.value === "range" ? "range" : "value" })}
        >
          <option value="value">{t("mapping.by.value")}</option>
          <option value="range">{t("mapping.by.range")}</option>
        </select>
      </td>
      <td>
        {row.by === "value" ? (
          input("value", t("mapping.valueOf", { of }), t("mapping.valueShort"))
        ) : (
          <span className="mapping-range">
            {input("from", t("mapping.fromOf", { of }), t("mapping.fromShort"))}
            {input("to", t("mapping.toOf", { of }), t("mapping.toShort"))}
          </span>
        )}
        {fault !== undefined && (
          <span className="field-fault block" role="status">
            {t(`mapping.fault.${fault}`)}
          </span>
        )}
      </td>
      <td>
        <span className="alarm-texts">
          <select
            className="input"
            aria-label={t("alarm.isOf", { of })}
            value={row.active ? "alarm" : "none"}
            onChange={(event) => onChange({ active: event.target.value === "alarm" })}
          >
            <option value="alarm">{t("alarm.is.alarm")}</option>
            <option value="none">{t("alarm.is.none")}</option>
          </select>
          {row.active && input("code", t("alarm.codeOf", { of }), t("alarm.codeShort"))}
        </span>
      </td>
      <td>
        {row.active && (
          <span className="alarm-texts">
            {input("de", t("alarm.textOf.de", { of }), t("alarm.text.de"))}
            {input("en", t("alarm.textOf.en", { of }), t("alarm.text.en"))}
          </span>
        )}
      </td>
      <td>{row.active && input("severity", t("alarm.severityOf", { of }))}</td>
      <td>
        {row.active && (
          <ReasonSelect of={of} value={row.cause} reasons={props.reasons} onChange={(cause) => onChange({ cause })} />
        )}
      </td>
      <td>
        <Button kind="quiet" icon="close" aria-label={t("mapping.remove", { of })} onClick={props.onRemove} />
      </td>
    </tr>
  );
}
