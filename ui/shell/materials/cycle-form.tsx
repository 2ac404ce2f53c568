import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { useState } from "react";
import { TextField } from "../../kit/index.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { touchedByRange } from "../master-data/effect.ts";
import { ItemForm } from "../master-data/item-form.tsx";
import { type Held, useMasterData } from "../master-data/store.ts";
import { EquipmentField, keptMicros, localOfMicros, useWorkUnits, ValidityFields } from "../orders/fields.tsx";

type Cycle = MasterDataItem<"idealCycleTime">;
const numberOf = (text: string): number => Number(text.trim().replace(",", "."));

const formOf = (base: Recorded<Cycle> | null, equipmentId: number) => ({
  equipmentId: base?.item.equipmentId ?? equipmentId,
  material: base?.item.material ?? "",
  seconds: base === null ? "" : String(base.item.cycleUs / 1e6),
  units: String(base?.item.unitsPerCycle ?? 1),
  from: localOfMicros(base?.item.fromUs ?? Math.floor(nowUs() / 60_000_000) * 60_000_000),
  to: localOfMicros(base?.item.toUs ?? null),
});

/** The shortest cycle of a material on a machine, from a date on. */
export function CycleForm(props: {
  base: Recorded<Cycle> | null;
  held: Held<"idealCycleTime">;
  onClose(id: string | null): void;
}) {
  const workUnits = useWorkUnits();
  const materials = useMasterData("material");
  const [base, setBase] = useState(props.base);
  const [form, setForm] = useState(() => formOf(props.base, workUnits[0]?.id ?? 0));
  const cycleUs = form.seconds.trim() === "" ? Number.NaN : Math.round(numberOf(form.seconds) * 1e6);
  const units = numberOf(form.units);
  const fromUs = keptMicros(form.from, base?.item.fromUs ?? null);
  const toUs = form.to === "" ? null : keptMicros(form.to, base?.item.toUs ?? null);
  const material = form.material.trim() === "" ? null : form.material.trim();
  const item: Cycle | null =
    cycleUs > 0 && units > 0 && fromUs !== null && form.equipmentId > 0
      ? {
          equipmentId: form.equipmentId,
          material,
          cycleUs: base !== null && String(base.item.cycleUs / 1e6) === form.seconds ? base.item.cycleUs : cycleUs,
          unitsPerCycle: units,
          fromUs,
          toUs,
        }
      : null;
  // Unique and readable, and never a name that was used: the start is part of it.
  const id = base?.id ?? `${form.equipmentId}-${material ?? "any"}-${fromUs ?? 0}`.replaceAll("/", "_").slice(0, 128);
  const current = props.held.items.find((one) => one.id === base?.id);
  const set = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  return (
    <ItemForm
      kind="idealCycleTime"
      title={base === null ? t("cycle.new") : t("cycle.edit")}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={item === null ? [] : touchedByRange(base?.item ?? null, item)}
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        setForm(formOf(current ?? null, form.equipmentId));
      }}
    >
      <EquipmentField
        label={t("cycle.equipment")}
        items={workUnits}
        value={form.equipmentId}
        onChange={(equipmentId) => set({ equipmentId })}
      />
      <TextField
        label={t("cycle.material")}
        hint={t("cycle.materialHint")}
        value={form.material}
        list="cycle-materials"
        maxLength={128}
        onChange={(value) => set({ material: value })}
      />
      <datalist id="cycle-materials">
        {materials.items.slice(0, 500).map(({ id: one, item: { name } }) => (
          <option key={one} value={one}>
            {name ?? ""}
          </option>
        ))}
      </datalist>
      <div className="form-grid">
        <TextField
          label={t("cycle.seconds")}
          value={form.seconds}
          inputMode="decimal"
          required
          fault={form.seconds !== "" && !(cycleUs > 0) ? t("cycle.zero") : null}
          onChange={(seconds) => set({ seconds })}
        />
        <TextField
          label={t("cycle.units")}
          value={form.units}
          inputMode="decimal"
          required
          onChange={(value) => set({ units: value })}
        />
        <ValidityFields from={form.from} to={form.to} onChange={set} />
      </div>
    </ItemForm>
  );
}
