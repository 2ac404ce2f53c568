import type { Equipment, Micros } from "@lineshaft/contract/api";
import { useMemo } from "react";
import { Field } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { localOfMicros, microsOf } from "../equipment/local-time.ts";
import { t } from "../i18n.ts";

export { localOfMicros, microsOf };

/** What orders run on: work units, or whatever stands lowest where there are none. */
export function useWorkUnits(): Equipment[] {
  const { equipment } = useDirectory();
  return useMemo(() => {
    const units = equipment.filter(({ level }) => level === "workUnit");
    return units.length > 0 ? units : equipment.filter(({ path }) => path !== "");
  }, [equipment]);
}

/** A field's time, or the one it was made from where nobody touched it: that may be finer. */
export const keptMicros = (local: string, from: Micros | null): Micros | null =>
  from !== null && local === localOfMicros(from) ? from : microsOf(local);

export function EquipmentOptions({ items }: { items: readonly Equipment[] }) {
  return items.map((one) => (
    <option key={one.id} value={one.id}>
      {one.path === "" ? one.name : one.path}
    </option>
  ));
}

/** Which equipment something is of. */
export function EquipmentField(props: {
  label: string;
  hint?: string;
  items: readonly Equipment[];
  value: number;
  onChange(id: number): void;
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {(field) => (
        <select
          id={field}
          className="input"
          value={props.value}
          onChange={(event) => props.onChange(Number(event.target.value))}
        >
          <EquipmentOptions items={props.items} />
        </select>
      )}
    </Field>
  );
}

/** From when and, where it ends, until when something is so; local times to the second. */
export function ValidityFields(props: {
  from: string;
  to: string;
  onChange(part: { from: string } | { to: string }): void;
}) {
  return (
    <>
      <Field label={t("order.from")}>
        {(field) => (
          <input
            id={field}
            type="datetime-local"
            step="1"
            required
            className="input"
            value={props.from}
            onChange={(event) => props.onChange({ from: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("order.to")} hint={t("masterData.openEnd")}>
        {(field) => (
          <input
            id={field}
            type="datetime-local"
            step="1"
            className="input"
            value={props.to}
            onChange={(event) => props.onChange({ to: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}
