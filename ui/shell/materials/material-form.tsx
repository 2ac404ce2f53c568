import { type MasterDataItem, nameFault, type Recorded } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { ItemForm } from "../master-data/item-form.tsx";
import type { Held } from "../master-data/store.ts";

type Material = MasterDataItem<"material">;

let keys = 0;
const formOf = (base: Recorded<Material> | null) => ({
  id: base?.id ?? "",
  name: base?.item.name ?? "",
  unit: base?.item.unit ?? "1",
  conversions: (base?.item.conversions ?? []).map(({ unit, factor }) => ({
    key: keys++,
    unit,
    factor: String(factor),
  })),
});
const numberOf = (text: string): number => Number(text.trim().replace(",", "."));

/** A material, its unit, and what one unit of it is in others. */
export function MaterialForm(props: {
  base: Recorded<Material> | null;
  held: Held<"material">;
  onClose(id: string | null): void;
}) {
  const [base, setBase] = useState(props.base);
  const [form, setForm] = useState(() => formOf(props.base));
  const id = form.id.trim();
  const taken = base === null && props.held.items.some((one) => one.id === id);
  const whole =
    id !== "" &&
    !taken &&
    nameFault(id) === null &&
    form.unit.trim() !== "" &&
    form.conversions.every(({ unit, factor }) => unit.trim() !== "" && numberOf(factor) > 0);
  const item: Material | null = whole
    ? {
        name: form.name.trim() === "" ? null : form.name,
        unit: form.unit.trim(),
        conversions: form.conversions.map(({ unit, factor }) => ({ unit: unit.trim(), factor: numberOf(factor) })),
      }
    : null;
  const setRow = (key: number, part: { unit?: string; factor?: string } | null): void =>
    setForm((old) => ({
      ...old,
      conversions: old.conversions.flatMap((one) =>
        one.key !== key ? [one] : part === null ? [] : [{ ...one, ...part }],
      ),
    }));
  const current = props.held.items.find((one) => one.id === base?.id);
  return (
    <ItemForm
      kind="material"
      title={base === null ? t("material.new") : t("material.edit", { id: base.id })}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={null}
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        setForm(formOf(current ?? null));
      }}
    >
      <TextField
        label={t("material.id")}
        value={form.id}
        disabled={base !== null}
        required
        maxLength={128}
        fault={taken ? t("masterData.taken") : null}
        onChange={(value) => setForm({ ...form, id: value })}
      />
      <TextField
        label={t("material.name")}
        value={form.name}
        maxLength={256}
        onChange={(name) => setForm({ ...form, name })}
      />
      <TextField
        label={t("material.unit")}
        hint={t("material.unitHint")}
        value={form.unit}
        required
        maxLength={64}
        onChange={(unit) => setForm({ ...form, unit })}
      />
      <fieldset className="rows">
        <legend>{t("material.conversions")}</legend>
        {form.conversions.map((one, i) => (
          <div key={one.key} className="row-line">
            <span className="soft nowrap">1 {form.unit === "1" ? t("material.piece") : form.unit} =</span>
            <input
              className="input short"
              inputMode="decimal"
              aria-label={t("material.factor", { n: i + 1 })}
              value={one.factor}
              onChange={(event) => setRow(one.key, { factor: event.target.value })}
            />
            <input
              className="input short"
              aria-label={t("material.otherUnit", { n: i + 1 })}
              placeholder="kg"
              value={one.unit}
              onChange={(event) => setRow(one.key, { unit: event.target.value })}
            />
            <Button
              kind="quiet"
              icon="close"
              aria-label={t("material.removeConversion", { n: i + 1 })}
              onClick={() => setRow(one.key, null)}
            />
          </div>
        ))}
        <Button
          icon="plus"
          onClick={() =>
            setForm({ ...form, conversions: [...form.conversions, { key: keys++, unit: "", factor: "" }] })
          }
        >
          {t("material.addConversion")}
        </Button>
      </fieldset>
    </ItemForm>
  );
}
