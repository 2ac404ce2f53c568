import { presetRows, statePresets } from "@lineshaft/contract/api";
import { useEffect, useRef } from "react";
import { Button, Field } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { ConditionFaultView } from "./condition-fault.tsx";
import { type DraftFaults, draftOf, type MappingDraft, type RowDraft, type RowKind } from "./draft.ts";
import type { MappedKind } from "./meaning.ts";
import { MeaningCells } from "./meaning-fields.tsx";
import { MeaningMark, type Reasons } from "./meaning-mark.tsx";
import { faultIn, useTrial } from "./trial.ts";
import { valueInput } from "./values.ts";

const presetsOf = {
  itemState: ["machineryItemState", "packml", "mtconnectExecution", "weihenstephanState", "running"],
  operationMode: ["machineryOperationMode", "packmlUnitMode", "weihenstephanProgram"],
} as const;
const rowKinds: readonly RowKind[] = ["value", "range", "when"];

/** The table of a state or a mode: a preset, rows of one's own, what holds otherwise, the dead band. */
export function StateTable(props: {
  kind: MappedKind;
  draft: MappingDraft;
  faults: DraftFaults;
  reasons: Reasons;
  /** The row that was just added, to be filled in. */
  fresh: number | null;
  onChange(part: Partial<MappingDraft>): void;
  onAdd(): void;
}) {
  const { kind, draft, faults, reasons, fresh, onChange } = props;
  const table = useRef<HTMLTableElement>(null);
  useEffect(() => {
    if (fresh === null) return;
    const row = table.current?.querySelector(`[data-row="${fresh}"]`);
    const first = row?.querySelector<HTMLInputElement>('[data-field="value"]');
    const meaning = kind === "operationMode" ? "operationMode" : "itemState";
    if (first?.value === "") first.focus();
    else row?.querySelector<HTMLElement>(`[data-field="${meaning}"]`)?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }, [fresh, kind]);
  const tried = useTrial(
    draft.rows.flatMap(({ by, when }) => (by === "when" ? [when] : [])),
    { value: "double" },
    [],
  );
  const change = (id: number, part: Partial<RowDraft>): void =>
    onChange({ rows: draft.rows.map((row) => (row.id === id ? { ...row, ...part } : row)) });
  const own = kind === "operationMode" ? presetsOf.operationMode : presetsOf.itemState;
  const listed = draft.preset === "" || own.some((one) => one === draft.preset) ? own : [...own, draft.preset];
  return (
    <>
      <div className="mapping-head">
        <Field label={t("mapping.preset")} hint={t("mapping.presetHint")}>
          {(id) => (
            <select
              id={id}
              className="input"
              value={draft.preset}
              onChange={(event) => onChange({ preset: statePresets.find((one) => one === event.target.value) ?? "" })}
            >
              <option value="">{t("mapping.preset.none")}</option>
              {listed.map((one) => (
                <option key={one} value={one}>
                  {t(`mapping.preset.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label={t("mapping.deadBand")}
          hint={t("mapping.deadBandHint")}
          fault={faults.has("deadBand") ? t("mapping.fault.number") : null}
        >
          {(id) => (
            <input
              id={id}
              className="input"
              inputMode="decimal"
              value={draft.deadBand}
              onChange={(event) => onChange({ deadBand: event.target.value })}
            />
          )}
        </Field>
      </div>
      {draft.preset !== "" && <PresetRows {...props} preset={draft.preset} />}
      <div className="mapping-scroll">
        <table className="plain mapping-table" ref={table}>
          <caption className="unseen">{t("mapping.table")}</caption>
          <thead>
            <tr>
              <th>{t("mapping.by")}</th>
              <th>{t("mapping.raw")}</th>
              <th>{t("mapping.itemState")}</th>
              <th>{t("mapping.operationMode")}</th>
              <th>{t("mapping.reason")}</th>
              <th>
                <span className="unseen">{t("mapping.removeHead")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {draft.rows.map((row, i) => {
              const fault = faults.get(`row ${row.id}`);
              const of = t("mapping.row", { n: i + 1 });
              const wrong = row.by === "when" && row.when.trim() !== "" ? faultIn(tried, row.when) : null;
              return (
                <tr key={row.id} data-row={row.id} className={fault === undefined ? "" : "mapping-faulty"}>
                  <td>
                    <select
                      className="input"
                      aria-label={t("mapping.byOf", { of })}
                      value={row.by}
                      onChange={(event) =>
                        change(row.id, { by: rowKinds.find((one) => one === event.target.value) ?? "value" })
                      }
                    >
                      {rowKinds.map((one) => (
                        <option key={one} value={one}>
                          {t(`mapping.by.${one}`)}
                        </option>
                      ))}
                    </select>
                  </td>
                  <td>
                    <RawFields row={row} of={of} onChange={(part) => change(row.id, part)} />
                    {wrong !== null && <ConditionFaultView text={row.when} {...wrong} />}
                    {wrong === null && fault !== undefined && (
                      <span className="field-fault block" role="status">
                        {t(`mapping.fault.${fault}`)}
                      </span>
                    )}
                  </td>
                  <MeaningCells of={of} meaning={row} reasons={reasons} onChange={(part) => change(row.id, part)} />
                  <td>
                    <Button
                      kind="quiet"
                      icon="close"
                      aria-label={t("mapping.remove", { of })}
                      onClick={() => onChange({ rows: draft.rows.filter(({ id }) => id !== row.id) })}
                    />
                  </td>
                </tr>
              );
            })}
            <tr className="mapping-otherwise">
              <th colSpan={2} scope="row">
                {t("mapping.otherwise")}
              </th>
              <MeaningCells
                of={t("mapping.otherwise")}
                meaning={draft.otherwise}
                reasons={reasons}
                onChange={(part) => onChange({ otherwise: { ...draft.otherwise, ...part } })}
              />
              <td />
            </tr>
          </tbody>
        </table>
      </div>
      <div className="form-buttons">
        <Button icon="plus" onClick={props.onAdd}>
          {t("mapping.add")}
        </Button>
      </div>
    </>
  );
}

function RawFields(props: { row: RowDraft; of: string; onChange(part: Partial<RowDraft>): void }) {
  const { row, of, onChange } = props;
  const field = (name: "value" | "from" | "to" | "when") => (
    <input
      key={name}
      className={`input ${name === "when" ? "mono" : ""}`}
      aria-label={t(`mapping.${name}Of`, { of })}
      placeholder={name === "when" ? "value > 5.0 && value < 20.0" : t(`mapping.${name}Short`)}
      data-field={name === "value" ? "value" : undefined}
      spellCheck={false}
      autoComplete="off"
      maxLength={name === "when" ? 1000 : 256}
      value={row[name]}
      onChange={(event) => onChange({ [name]: event.target.value })}
    />
  );
  if (row.by !== "range") return field(row.by);
  return (
    <span className="mapping-range">
      {field("from")}
      {field("to")}
    </span>
  );
}

/** What the preset says, value by value; its rows can be taken over to be changed. */
function PresetRows(props: {
  preset: NonNullable<keyof typeof presetRows>;
  draft: MappingDraft;
  reasons: Reasons;
  onChange(part: Partial<MappingDraft>): void;
}) {
  const groups = Map.groupBy(presetRows[props.preset], ({ value: _, ...meaning }) => JSON.stringify(meaning));
  const takeOver = (): void => {
    const taken = draftOf({ states: presetRows[props.preset] }).rows;
    props.onChange({ preset: "", rows: [...props.draft.rows, ...taken] });
  };
  return (
    <details className="mapping-preset">
      <summary>{t("mapping.presetRows", { n: presetRows[props.preset].length })}</summary>
      <dl>
        {[...groups.values()].map((rows) => {
          const { value: _, ...meaning } = rows[0];
          return (
            <div key={JSON.stringify(meaning)}>
              <dt>
                <MeaningMark verdict={meaning} reasons={props.reasons} />
              </dt>
              <dd className="mono">{rows.map(({ value = "" }) => valueInput(value)).join(", ")}</dd>
            </div>
          );
        })}
      </dl>
      <Button onClick={takeOver}>{t("mapping.takeOver")}</Button>
    </details>
  );
}
