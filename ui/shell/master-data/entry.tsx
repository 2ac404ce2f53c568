import type { Equipment } from "@lineshaft/contract/api";
import { createContext, useContext, useId, useState } from "react";
import { t } from "../i18n.ts";
import type { Draft, FieldEntry, FieldFault } from "./fields.ts";
import { type PlanKind, useMasterData } from "./store.ts";
import { choiceText, faultText } from "./words.ts";

/** What the fields of a form look into. */
export const FormWorld = createContext<{
  equipment: readonly Equipment[];
  /** What is wrong in a field and may be said by now. */
  faultAt(place: string): FieldFault | undefined;
  /** What the server has said of it; null: nothing. */
  refusedAt(place: string): string | null;
}>({ equipment: [], faultAt: () => undefined, refusedAt: () => null });

/** What is wrong in a field, in words. */
export function useFault(entry: FieldEntry, place: string): string | null {
  const { faultAt, refusedAt } = useContext(FormWorld);
  return faultText(faultAt(place), entry) ?? refusedAt(place);
}

export interface FieldProps {
  entry: FieldEntry;
  /** The kind or the list in which it stands: for its words. */
  within: string;
  /** Which field of the form it is. */
  place: string;
  draft: Draft;
  disabled?: boolean;
  onChange(draft: Draft): void;
}

/** The input itself, in a form under its label or in a row with a name that says which row. */
export function Entry(props: FieldProps & { id?: string; label?: string }) {
  const { entry, draft, onChange, id, label } = props;
  const shared = { id, "aria-label": label, disabled: props.disabled, className: "input" };
  const text = String(draft);
  switch (entry.type) {
    case "equipment":
      return <EquipmentEntry {...shared} value={text} onChange={onChange} />;
    case "choice":
      return (
        <select {...shared} value={text} onChange={(event) => onChange(event.target.value)}>
          {entry.empty !== "forbidden" && <option value="">{t("item.none")}</option>}
          {entry.choices.map((one) => (
            <option key={one} value={one}>
              {choiceText(one)}
            </option>
          ))}
        </select>
      );
    case "text":
      // What must be there is chosen; a material or an order may come to be described later.
      if (entry.names === "lookUp" || entry.names === "calendar")
        return <NameChoice {...shared} kind={entry.names} value={text} onChange={onChange} />;
      return <TextEntry {...shared} entry={entry} value={text} onChange={onChange} />;
    case "time":
      return (
        <input
          {...shared}
          type="datetime-local"
          step="1"
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      );
    default:
      return <TextEntry {...shared} entry={entry} value={text} onChange={onChange} />;
  }
}

type Shared = { id?: string; "aria-label"?: string; disabled?: boolean; className: string };

function TextEntry(props: Shared & { entry: FieldEntry; value: string; onChange(value: string): void }) {
  const { entry, value, onChange, ...shared } = props;
  const list = useId();
  const isNumber = entry.type !== "text";
  return (
    <>
      <input
        {...shared}
        autoComplete="off"
        spellCheck={false}
        inputMode={entry.type === "integer" ? "numeric" : isNumber ? "decimal" : undefined}
        maxLength={isNumber ? 40 : entry.maxLength}
        list={entry.names === null ? undefined : list}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {entry.names !== null && <Names id={list} kind={entry.names} />}
    </>
  );
}

function NameChoice(props: Shared & { kind: PlanKind; value: string; onChange(value: string): void }) {
  const { kind, value, onChange, ...shared } = props;
  const { items } = useMasterData(kind);
  const known = items.some(({ id }) => id === value);
  return (
    <select {...shared} value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">{t("item.none")}</option>
      {value !== "" && !known && <option value={value}>{value}</option>}
      {items.map(({ id }) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  );
}

const offeredMax = 500;

function Names({ id, kind }: { id: string; kind: PlanKind }) {
  const { items } = useMasterData(kind);
  return (
    <datalist id={id}>
      {items.slice(0, offeredMax).map((one) => (
        <option key={one.id} value={one.id}>
          {"name" in one.item ? String(one.item.name ?? "") : ""}
        </option>
      ))}
    </datalist>
  );
}

/** A plant has thousands of machines and a form many rows: each field gets its choices when somebody comes to it. */
function EquipmentEntry(props: Shared & { value: string; onChange(value: string): void }) {
  const { value, onChange, ...shared } = props;
  const { equipment } = useContext(FormWorld);
  const [near, setNear] = useState(false);
  const listed = near ? equipment : equipment.filter(({ id }) => String(id) === value);
  return (
    <select
      {...shared}
      value={value}
      onFocus={() => setNear(true)}
      onPointerEnter={() => setNear(true)}
      onChange={(event) => onChange(event.target.value)}
    >
      {!listed.some(({ id }) => String(id) === value) && (
        <option value={value}>{value === "" ? "–" : `#${value}`}</option>
      )}
      {listed.map((one) => (
        <option key={one.id} value={one.id}>
          {one.path === "" ? one.name : one.path}
        </option>
      ))}
    </select>
  );
}
