import {
  type IdentifierDimension,
  identifierDimensions,
  type MasterDataItem,
  type Recorded,
} from "@lineshaft/contract/api";
import { useState } from "react";
import { Field, TextField } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { type Touched, touchedByRange } from "../master-data/effect.ts";
import { ItemForm } from "../master-data/item-form.tsx";
import { type Held, useMasterData } from "../master-data/store.ts";
import { EquipmentField, keptMicros, localOfMicros, useWorkUnits, ValidityFields } from "../orders/fields.tsx";

type Rule = MasterDataItem<"identifierRule">;
const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());

const formOf = (base: Recorded<Rule> | null, equipmentId: number) => ({
  equipmentId: base?.item.equipmentId ?? equipmentId,
  dimension: base?.item.dimension ?? ("order" as IdentifierDimension),
  property: base?.item.property ?? "",
  lookUp: base?.item.lookUp ?? "",
  none: base?.item.none ?? "",
  prefix: base?.item.prefix ?? "",
  padTo: String(base?.item.padTo ?? ""),
  from: localOfMicros(base?.item.fromUs ?? Math.floor(nowUs() / 60_000_000) * 60_000_000),
  to: localOfMicros(base?.item.toUs ?? null),
});

/** Which identifier of a machine tells its order, operation, material or tool, and how its values are read. */
export function RuleForm(props: {
  base: Recorded<Rule> | null;
  held: Held<"identifierRule">;
  onClose(id: string | null): void;
}) {
  const { equipment } = useDirectory();
  const units = useWorkUnits();
  const lookUps = useMasterData("lookUp");
  const [base, setBase] = useState(props.base);
  const [form, setForm] = useState(() => formOf(props.base, equipment[0]?.id ?? 0));
  const set = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const fromUs = keptMicros(form.from, base?.item.fromUs ?? null);
  const toUs = form.to === "" ? null : keptMicros(form.to, base?.item.toUs ?? null);
  const padTo = form.padTo.trim() === "" ? null : Number(form.padTo);
  const padded = padTo === null || (Number.isInteger(padTo) && padTo >= 1 && padTo <= 64);
  const { equipmentId, dimension } = form;
  const property = form.property.trim();
  const fitting = lookUps.items.filter(({ item }) => item.dimension === dimension);
  const item: Rule | null =
    property !== "" && padded && fromUs !== null && equipmentId > 0
      ? {
          ...{ equipmentId, dimension, property, padTo, fromUs, toUs },
          ...{ prefix: orNull(form.prefix), none: orNull(form.none), lookUp: orNull(form.lookUp) },
        }
      : null;
  /** A rule reaches the machines below its place. */
  const atMachines = (touched: Touched): Touched[] => {
    const path = equipment.find((one) => one.id === touched.equipmentId)?.path ?? "";
    const below = units.filter((one) => one.path === path || path === "" || one.path.startsWith(`${path}/`));
    return below.map((one) => ({ ...touched, equipmentId: one.id }));
  };
  const id = base?.id ?? `${equipmentId}-${dimension}-${fromUs ?? 0}`;
  const current = props.held.items.find((one) => one.id === base?.id);
  return (
    <ItemForm
      kind="identifierRule"
      title={base === null ? t("identifier.newRule") : t("identifier.rule")}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={item === null ? [] : touchedByRange(base?.item ?? null, item).flatMap(atMachines)}
      broad
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        setForm(formOf(current ?? null, equipmentId));
      }}
    >
      <EquipmentField
        label={t("identifier.place")}
        hint={t("identifier.placeHint")}
        items={equipment}
        value={equipmentId}
        onChange={(value) => set({ equipmentId: value })}
      />
      <div className="form-grid">
        <DimensionField value={dimension} onChange={(value) => set({ dimension: value, lookUp: "" })} />
        <TextField
          label={t("identifier.property")}
          hint={t("identifier.propertyHint")}
          value={form.property}
          required
          maxLength={128}
          onChange={(value) => set({ property: value })}
        />
      </div>
      <Field label={t("identifier.lookUp")} hint={t("identifier.lookUpHint")}>
        {(field) => (
          <select
            id={field}
            className="input"
            value={form.lookUp}
            onChange={(event) => set({ lookUp: event.target.value })}
          >
            <option value="">{t("identifier.itself")}</option>
            {fitting.map((one) => (
              <option key={one.id} value={one.id}>
                {one.id}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="form-grid">
        <TextField
          label={t("identifier.none")}
          hint={t("identifier.noneHint")}
          value={form.none}
          maxLength={256}
          onChange={(none) => set({ none })}
        />
        <TextField
          label={t("identifier.prefix")}
          hint={t("identifier.prefixHint")}
          value={form.prefix}
          maxLength={64}
          onChange={(prefix) => set({ prefix })}
        />
        <TextField
          label={t("identifier.padTo")}
          hint={t("identifier.padToHint")}
          value={form.padTo}
          inputMode="numeric"
          fault={padded ? null : t("identifier.padToWrong")}
          onChange={(value) => set({ padTo: value })}
        />
      </div>
      <div className="form-grid">
        <ValidityFields from={form.from} to={form.to} onChange={set} />
      </div>
    </ItemForm>
  );
}

export function DimensionField(props: {
  value: IdentifierDimension;
  disabled?: boolean;
  onChange(value: IdentifierDimension): void;
}) {
  return (
    <Field label={t("identifier.dimension")}>
      {(field) => (
        <select
          id={field}
          className="input"
          value={props.value}
          disabled={props.disabled}
          onChange={(event) => props.onChange(event.target.value as IdentifierDimension)}
        >
          {identifierDimensions.map((one) => (
            <option key={one} value={one}>
              {t(`identifier.dimension.${one}`)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
