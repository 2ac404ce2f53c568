import type { ConditionRow, Configuration, Property, RawTag } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { ChangeDialog } from "../configuration/change-dialog.tsx";
import { live } from "../feed.ts";
import { t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { useNow } from "../use.ts";
import { ConditionFaultView } from "./condition-fault.tsx";
import { firstTrue, typesFor, withConditions } from "./conditions.ts";
import { draftOf, mappingOf, newRow, type RowDraft } from "./draft.ts";
import { MeaningCells } from "./meaning-fields.tsx";
import { MeaningMark, type Reasons } from "./meaning-mark.tsx";
import { faultIn, useTrial } from "./trial.ts";
import { tableValue } from "./values.ts";

const conditionsMax = 50;

/** Conditions over several tags of a machine, in their order, each with what it says of the present values; the mistake in one stands at its place. */
export function ConditionsEditor(props: {
  path: string;
  property: Property;
  properties: readonly Property[];
  configuration: Configuration;
  /** The tags of what may be named, as far as they have one. */
  named: readonly { name: string; tag: RawTag | null }[];
  reasons: Reasons;
  onClose(done: boolean): void;
}) {
  const { path, property, properties, configuration, reasons } = props;
  const [rows, setRows] = useState<RowDraft[]>(() => {
    const { rows: known } = draftOf({ states: (property.conditions ?? []) as ConditionRow[] });
    return known.length > 0 ? known : [newRow({ by: "when" })];
  });
  const [reach, setReach] = useState<"machine" | "model">("machine");
  const [planning, setPlanning] = useState(false);
  useNow();
  const model = configuration.equipment?.find((one) => one.path === path)?.model;
  const alike = (configuration.equipment ?? []).filter((one) => one.model === model).map((one) => one.path);
  const types = useMemo(() => typesFor(property.name, properties), [property, properties]);
  const present = Object.fromEntries(
    props.named.flatMap(({ name, tag }) => {
      const last = tag === null ? null : live.get(tag.id);
      const value = last?.time == null ? null : tableValue(last.value);
      return value === null ? [] : [[name, value]];
    }),
  );
  const tried = useTrial(
    rows.map(({ when }) => when),
    types,
    [present],
  );
  const { mapping, faults } = useMemo(() => mappingOf({ ...draftOf({}), rows }), [rows]);
  const conditions = (mapping.states ?? []) as ConditionRow[];
  const truths = tried.trial?.truths[0];
  const outcome = firstTrue(rows, truths);
  const change = (id: number, part: Partial<RowDraft>): void =>
    setRows(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  /** Behind the next one: the first that is true holds. */
  const move = (at: number): void => setRows(rows.toSpliced(at, 2, rows[at + 1], rows[at]));
  const paths = reach === "machine" ? [path] : alike;
  if (planning)
    return (
      <ChangeDialog
        title={t("conditions.edit", { property: property.name })}
        edit={(now) => ({ value: withConditions(now, paths, property.name, conditions) })}
        onClose={(done) => (done ? props.onClose(true) : setPlanning(false))}
      />
    );
  const sound = faults.size === 0 && (tried.trial?.faults.length ?? 0) === 0 && conditions.length > 0;
  return (
    <Dialog
      title={t("conditions.edit", { property: property.name })}
      closeLabel={t("close")}
      onClose={() => props.onClose(false)}
      className="mapping-dialog"
    >
      <p className="soft">{t("conditions.editHint")}</p>
      <p className="conditions-names">
        {t("conditions.names")}{" "}
        {Object.entries(types).map(([name, type]) => (
          <span key={name} className="conditions-name">
            <code>{name}</code>{" "}
            <span className="soft">{name in present ? String(present[name]) : t(`conditions.type.${type}`)}</span>
          </span>
        ))}
      </p>
      <div className="mapping-scroll">
        <table className="plain mapping-table conditions-table">
          <caption className="unseen">{t("conditions.rows")}</caption>
          <thead>
            <tr>
              <th>{t("mapping.by.when")}</th>
              <th>{t("mapping.itemState")}</th>
              <th>{t("mapping.operationMode")}</th>
              <th>{t("mapping.reason")}</th>
              <th>{t("conditions.now")}</th>
              <th>
                <span className="unseen">{t("mapping.removeHead")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => {
              const of = t("mapping.row", { n: i + 1 });
              const wrong = row.when.trim() === "" ? null : faultIn(tried, row.when);
              const missing = faults.get(`row ${row.id}`);
              return (
                <tr key={row.id} className={wrong === null ? "" : "mapping-faulty"}>
                  <td>
                    <textarea
                      className="input mono"
                      rows={Math.min(4, 1 + Math.floor(row.when.length / 36))}
                      data-field="value"
                      aria-label={t("mapping.whenOf", { of })}
                      aria-invalid={wrong !== null}
                      placeholder="spindle > 100.0 && !door"
                      spellCheck={false}
                      maxLength={1000}
                      value={row.when}
                      onChange={(event) => change(row.id, { when: event.target.value.replaceAll("\n", " ") })}
                    />
                    {wrong !== null && <ConditionFaultView text={row.when} {...wrong} />}
                    {wrong === null && missing !== undefined && row.when.trim() !== "" && (
                      <span className="field-fault block">{t(`mapping.fault.${missing}`)}</span>
                    )}
                  </td>
                  <MeaningCells of={of} meaning={row} reasons={reasons} onChange={(part) => change(row.id, part)} />
                  <td>
                    <Truth truth={wrong === null ? (truths?.[i] ?? null) : null} holds={outcome?.id === row.id} />
                  </td>
                  <td className="nowrap">
                    <Button
                      kind="quiet"
                      icon="down"
                      disabled={i === rows.length - 1}
                      aria-label={t("conditions.later", { of })}
                      onClick={() => move(i)}
                    />
                    <Button
                      kind="quiet"
                      icon="close"
                      aria-label={t("mapping.remove", { of })}
                      onClick={() => setRows(rows.filter(({ id }) => id !== row.id))}
                    />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {tried.error !== null && <ProblemView error={tried.error} />}
      <p role="status" aria-label={t("conditions.wouldBe")}>
        {t("conditions.wouldBe")}{" "}
        {outcome === null ? (
          <span className="soft">{t("conditions.noneTrue")}</span>
        ) : (
          <MeaningMark verdict={meaningIn(outcome)} reasons={reasons} />
        )}
      </p>
      <div className="form-buttons">
        <Button
          icon="plus"
          disabled={rows.length >= conditionsMax}
          onClick={() => setRows([...rows, newRow({ by: "when" })])}
        >
          {t("mapping.add")}
        </Button>
      </div>
      {alike.length > 1 && (
        <fieldset className="rows">
          <legend>{t("conditions.reach")}</legend>
          {(["machine", "model"] as const).map((one) => (
            <label key={one} className="check-line">
              <input type="radio" name="reach" checked={reach === one} onChange={() => setReach(one)} />
              {one === "machine"
                ? t("conditions.reach.machine")
                : t("conditions.reach.model", { n: alike.length, model: model ?? "" })}
            </label>
          ))}
        </fieldset>
      )}
      <p className="soft">{t("conditions.version")}</p>
      <div className="form-buttons">
        <Button kind="main" disabled={!sound} onClick={() => setPlanning(true)}>
          {t("import.plan")}
        </Button>
        <Button kind="quiet" onClick={() => props.onClose(false)}>
          {t("mapping.back")}
        </Button>
      </div>
    </Dialog>
  );
}

const meaningIn = (row: RowDraft) => mappingOf({ ...draftOf({}), rows: [row] }).mapping.states?.[0] ?? {};

function Truth({ truth, holds }: { truth: boolean | null; holds: boolean }) {
  if (truth === null) return <span className="soft">{t("conditions.open")}</span>;
  return <span className={holds ? "conditions-holds" : ""}>{t(truth ? "conditions.true" : "conditions.false")}</span>;
}
