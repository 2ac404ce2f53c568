import { counterWidths } from "@lineshaft/contract/api";
import { Field } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import type { DraftFaults, MappingDraft } from "./draft.ts";

interface OptionsProps {
  draft: MappingDraft;
  faults: DraftFaults;
  onChange(part: Partial<MappingDraft>): void;
}

const samplings = ["onChange", "sampled"] as const;
const edges = ["each", "rising", "falling"] as const;

function NumberField(props: {
  name: "rolloverAt" | "maxPerSecond" | "samplingMs" | "glitchWindowMs" | "stopAfterCycles" | "idealCycleMs";
  value: string;
  faults: DraftFaults;
  onChange(value: string): void;
}) {
  const fault = props.faults.get(props.name);
  return (
    <Field
      label={t(`mapping.${props.name}`)}
      hint={t(`mapping.${props.name}Hint`)}
      fault={fault === undefined ? null : t(`mapping.fault.${fault}`)}
    >
      {(id) => (
        <input
          id={id}
          className="input"
          inputMode="decimal"
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** How a counter counts. */
export function CounterFields({ draft, faults, onChange }: OptionsProps) {
  const { counter } = draft;
  const set = (part: Partial<MappingDraft["counter"]>): void => onChange({ counter: { ...counter, ...part } });
  return (
    <div className="mapping-options">
      <Field label={t("mapping.width")} hint={t("mapping.widthHint")}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={counter.width}
            onChange={(event) => set({ width: counterWidths.find((one) => one === event.target.value) ?? "" })}
          >
            <option value="">{t("mapping.width.none")}</option>
            {counterWidths.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        )}
      </Field>
      <NumberField
        name="rolloverAt"
        value={counter.rolloverAt}
        faults={faults}
        onChange={(rolloverAt) => set({ rolloverAt })}
      />
      <NumberField
        name="maxPerSecond"
        value={counter.maxPerSecond}
        faults={faults}
        onChange={(maxPerSecond) => set({ maxPerSecond })}
      />
      <NumberField
        name="glitchWindowMs"
        value={counter.glitchWindowMs}
        faults={faults}
        onChange={(glitchWindowMs) => set({ glitchWindowMs })}
      />
      <Field label={t("mapping.sampling")} hint={t("mapping.samplingHint")}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={counter.sampling === "" ? "onChange" : counter.sampling}
            onChange={(event) => set({ sampling: event.target.value === "sampled" ? "sampled" : "" })}
          >
            {samplings.map((one) => (
              <option key={one} value={one}>
                {t(`mapping.sampling.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {counter.sampling === "sampled" && (
        <NumberField
          name="samplingMs"
          value={counter.samplingMs}
          faults={faults}
          onChange={(samplingMs) => set({ samplingMs })}
        />
      )}
    </div>
  );
}

/** What a pulse is, and when none means a stop. */
export function PulseFields({ draft, faults, onChange }: OptionsProps) {
  const { pulse } = draft;
  const set = (part: Partial<MappingDraft["pulse"]>): void => onChange({ pulse: { ...pulse, ...part } });
  return (
    <div className="mapping-options">
      <Field label={t("mapping.edge")} hint={t("mapping.edgeHint")}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={pulse.edge === "" ? "each" : pulse.edge}
            onChange={(event) =>
              set({
                edge: event.target.value === "each" ? "" : (edges.find((one) => one === event.target.value) ?? ""),
              })
            }
          >
            {edges.map((one) => (
              <option key={one} value={one}>
                {t(`mapping.edge.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <NumberField
        name="stopAfterCycles"
        value={pulse.stopAfterCycles}
        faults={faults}
        onChange={(stopAfterCycles) => set({ stopAfterCycles })}
      />
      <NumberField
        name="idealCycleMs"
        value={pulse.idealCycleMs}
        faults={faults}
        onChange={(idealCycleMs) => set({ idealCycleMs })}
      />
    </div>
  );
}
