import { useState } from "react";
import { Button } from "../../kit/index.ts";
import { matches } from "../directory.ts";
import { t } from "../i18n.ts";
import { Entry, type FieldProps, useFault } from "./entry.tsx";
import { type FieldEntry, type GroupDraft, newRow, type RowDraft } from "./fields.ts";
import { hintOf, labelOf } from "./words.ts";

/** Rows that are drawn at once; the filter finds the others. */
const shownMax = 100;
const filterFrom = 20;

/** A list of an item as a table of fields. */
export function RowsField(props: FieldProps & { rows: readonly RowDraft[] }) {
  const { entry, within, place, rows, onChange } = props;
  const [filter, setFilter] = useState("");
  const label = labelOf(within, entry.name);
  const hint = hintOf(within, entry.name);
  const numbered = rows.map((row, i) => ({ row, n: i + 1 }));
  const fitting =
    filter === ""
      ? numbered
      : numbered.filter(({ row }) => matches(filter, ...Object.values(row.fields).map((one) => String(one))));
  const shown = fitting.slice(0, shownMax);
  const change = (key: number, fields: GroupDraft | null): void =>
    onChange(rows.flatMap((row) => (row.key !== key ? [row] : fields === null ? [] : [{ ...row, fields }])));
  const fault = useFault(entry, place);
  return (
    <fieldset className="rows">
      <legend>{label}</legend>
      {hint !== undefined && <p className="field-hint">{hint}</p>}
      {rows.length > filterFrom && (
        <input
          className="input filter"
          type="search"
          aria-label={t("rows.filter")}
          placeholder={t("rows.filter")}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      {shown.length > 0 && (
        <div className="table-frame kind-rows">
          <table className="plain">
            <caption className="unseen">{label}</caption>
            <thead>
              <tr>
                {entry.fields.map(({ name }) => (
                  <th key={name}>{labelOf(entry.name, name)}</th>
                ))}
                <th>
                  <span className="unseen">{t("mapping.removeHead")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ row, n }) => (
                <tr key={row.key}>
                  {entry.fields.map((field) => (
                    <Cell
                      key={field.name}
                      field={field}
                      within={entry.name}
                      place={`${place}.${row.key}.${field.name}`}
                      n={n}
                      row={row}
                      onChange={(fields) => change(row.key, fields)}
                    />
                  ))}
                  <td>
                    <Button
                      kind="quiet"
                      icon="close"
                      aria-label={t("rows.remove", { n, list: label })}
                      onClick={() => change(row.key, null)}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {fitting.length > shown.length && (
        <p className="soft">{t("rows.shown", { n: shown.length, of: fitting.length })}</p>
      )}
      {fault !== null && <p className="field-fault">{fault}</p>}
      <Button
        icon="plus"
        disabled={entry.most !== null && rows.length >= entry.most}
        onClick={() => onChange([...rows, newRow(entry.fields)])}
      >
        {t("rows.add")}
        <span className="unseen">{label}</span>
      </Button>
    </fieldset>
  );
}

function Cell(props: {
  field: FieldEntry;
  within: string;
  place: string;
  n: number;
  row: RowDraft;
  onChange(fields: GroupDraft): void;
}) {
  const { field, within, place, n, row } = props;
  const fault = useFault(field, place);
  return (
    <td className={`kind-${field.type}`}>
      <Entry
        entry={field}
        within={within}
        place={place}
        label={t("rows.of", { label: labelOf(within, field.name), n })}
        draft={row.fields[field.name]}
        onChange={(next) => props.onChange({ ...row.fields, [field.name]: next })}
      />
      {fault !== null && (
        <span className="field-fault block" role="alert">
          {fault}
        </span>
      )}
    </td>
  );
}
