import { itemStates, operationModes } from "@lineshaft/contract/api";
import { useState } from "react";
import { getLocale, t } from "../i18n.ts";
import type { MeaningDraft } from "./draft.ts";
import type { Reasons } from "./meaning-mark.tsx";

const states = ["", ...itemStates.toReversed(), "unknown"] as const;
const modes = ["", ...operationModes] as const;

/** The three parts of a meaning as cells of a table; `of` tells a reader of screens which row they belong to. */
export function MeaningCells(props: {
  of: string;
  meaning: MeaningDraft;
  reasons: Reasons;
  onChange(part: Partial<MeaningDraft>): void;
}) {
  const { of, meaning, onChange } = props;
  return (
    <>
      <td>
        <select
          className="input"
          aria-label={t("mapping.stateOf", { of })}
          data-field="itemState"
          value={meaning.itemState}
          onChange={(event) => onChange({ itemState: states.find((one) => one === event.target.value) ?? "" })}
        >
          {states.map((one) => (
            <option key={one} value={one}>
              {one === "" ? "–" : t(`mapping.state.${one}`)}
            </option>
          ))}
        </select>
      </td>
      <td>
        <select
          className="input"
          aria-label={t("mapping.modeOf", { of })}
          data-field="operationMode"
          value={meaning.operationMode}
          onChange={(event) => onChange({ operationMode: modes.find((one) => one === event.target.value) ?? "" })}
        >
          {modes.map((one) => (
            <option key={one} value={one}>
              {one === "" ? "–" : t(`mapping.mode.${one}`)}
            </option>
          ))}
        </select>
      </td>
      <td>
        <ReasonSelect of={of} value={meaning.cause} reasons={props.reasons} onChange={(cause) => onChange({ cause })} />
      </td>
    </>
  );
}

/** A reason by its name; its place in the tree shows by how far it stands in. */
export function ReasonSelect(props: { of: string; value: string; reasons: Reasons; onChange(cause: string): void }) {
  const { value, reasons } = props;
  // A long table has thousands of choices: each field gets its own when somebody comes to it.
  const [near, setNear] = useState(false);
  const language = getLocale();
  const depth = (number: number): number => {
    const parent = reasons.get(number)?.parent ?? null;
    return parent === null ? 0 : 1 + depth(parent);
  };
  const listed = near ? [...reasons.values()] : [...reasons.values()].filter(({ number }) => String(number) === value);
  return (
    <select
      className="input"
      aria-label={t("mapping.reasonOf", { of: props.of })}
      value={value}
      onFocus={() => setNear(true)}
      onPointerEnter={() => setNear(true)}
      onChange={(event) => props.onChange(event.target.value)}
    >
      <option value="">–</option>
      {value !== "" && !reasons.has(Number(value)) && <option value={value}>{value}</option>}
      {listed.map(({ number, name }) => (
        <option key={number} value={number}>
          {"\u2003".repeat(near ? depth(number) : 0) + name[language]}
        </option>
      ))}
    </select>
  );
}
