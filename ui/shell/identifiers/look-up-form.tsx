import { type IdentifierDimension, type MasterDataItem, nameFault, type Recorded } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { ItemForm } from "../master-data/item-form.tsx";
import { type Held, useMasterData } from "../master-data/store.ts";
import { keptMicros, localOfMicros } from "../orders/fields.tsx";
import { DimensionField } from "./rule-form.tsx";

type LookUp = MasterDataItem<"lookUp">;
type Row = LookUp["rows"][number];

let keys = 0;
const lineOf = (row: Row | null) => ({
  key: keys++,
  row,
  value: row?.value ?? "",
  id: row?.id ?? "",
  // What always held has no beginning.
  from: row === null || row.fromUs === 0 ? "" : localOfMicros(row.fromUs),
  to: localOfMicros(row?.toUs ?? null),
});
type Line = ReturnType<typeof lineOf>;
const formOf = (base: Recorded<LookUp> | null) => ({
  id: base?.id ?? "",
  dimension: base?.item.dimension ?? ("material" as IdentifierDimension),
  lines: (base?.item.rows ?? [null]).map(lineOf),
});

/** null: it is not whole. */
function rowOf({ row, value, id, from, to }: Line): Row | null {
  const fromUs = from === "" ? 0 : keptMicros(from, row?.fromUs ?? null);
  const toUs = to === "" ? null : keptMicros(to, row?.toUs ?? null);
  if (value.trim() === "" || id.trim() === "" || fromUs === null) return null;
  return { value: value.trim(), id: id.trim(), fromUs, toUs };
}

/** Values of identifiers and what they stand for, each from a date on. */
export function LookUpForm(props: {
  base: Recorded<LookUp> | null;
  held: Held<"lookUp">;
  onClose(id: string | null): void;
}) {
  const [base, setBase] = useState(props.base);
  const [form, setForm] = useState(() => formOf(props.base));
  const rules = useMasterData("identifierRule");
  const id = form.id.trim();
  const taken = base === null && props.held.items.some((one) => one.id === id);
  const used = base !== null && rules.items.some(({ item }) => item.lookUp === base.id);
  const rows = form.lines.map(rowOf);
  const whole = id !== "" && !taken && nameFault(id) === null && rows.every((row) => row !== null);
  const item: LookUp | null = whole ? { dimension: form.dimension, rows: rows.flatMap((row) => row ?? []) } : null;
  const setLine = (key: number, part: Partial<Line> | null): void =>
    setForm((old) => ({
      ...old,
      lines: old.lines.flatMap((one) => (one.key !== key ? [one] : part === null ? [] : [{ ...one, ...part }])),
    }));
  const current = props.held.items.find((one) => one.id === base?.id);
  return (
    <ItemForm
      kind="lookUp"
      title={base === null ? t("identifier.newLookUp") : t("identifier.lookUpOf", { id: base.id })}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={null}
      broad
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        setForm(formOf(current ?? null));
      }}
    >
      <div className="form-grid">
        <TextField
          label={t("identifier.lookUp")}
          value={form.id}
          disabled={base !== null}
          required
          maxLength={128}
          fault={taken ? t("masterData.taken") : null}
          onChange={(value) => setForm({ ...form, id: value })}
        />
        <DimensionField
          value={form.dimension}
          disabled={used}
          onChange={(dimension) => setForm({ ...form, dimension })}
        />
      </div>
      <fieldset className="rows">
        <legend>{t("identifier.rows")}</legend>
        <p className="soft">{t("identifier.rowsHint")}</p>
        {form.lines.map((line, i) => (
          <LineFields
            key={line.key}
            line={line}
            n={i + 1}
            dimension={form.dimension}
            onChange={(part) => setLine(line.key, part)}
          />
        ))}
        <Button icon="plus" onClick={() => setForm({ ...form, lines: [...form.lines, lineOf(null)] })}>
          {t("identifier.addRow")}
        </Button>
      </fieldset>
    </ItemForm>
  );
}

function LineFields(props: {
  line: Line;
  n: number;
  dimension: IdentifierDimension;
  onChange(part: Partial<Line> | null): void;
}) {
  const { line, n, onChange } = props;
  return (
    <div className="row-line look-up-line">
      <input
        className="input"
        aria-label={t("identifier.valueOf", { n })}
        placeholder={t("identifier.value")}
        maxLength={256}
        value={line.value}
        onChange={(event) => onChange({ value: event.target.value })}
      />
      <span className="soft">→</span>
      <input
        className="input"
        aria-label={t("identifier.targetOf", { n })}
        placeholder={t(`identifier.dimension.${props.dimension}`)}
        maxLength={128}
        value={line.id}
        onChange={(event) => onChange({ id: event.target.value })}
      />
      <input
        className="input"
        type="datetime-local"
        step="1"
        aria-label={t("identifier.fromOf", { n })}
        value={line.from}
        onChange={(event) => onChange({ from: event.target.value })}
      />
      <span className="soft">–</span>
      <input
        className="input"
        type="datetime-local"
        step="1"
        aria-label={t("identifier.toOf", { n })}
        value={line.to}
        onChange={(event) => onChange({ to: event.target.value })}
      />
      <Button kind="quiet" icon="close" aria-label={t("identifier.removeRow", { n })} onClick={() => onChange(null)} />
    </div>
  );
}
