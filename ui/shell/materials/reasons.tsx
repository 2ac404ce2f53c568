import {
  itemStates,
  type MasterDataItem,
  operationModes,
  plannedClasses,
  type Recorded,
  reasonLosses,
  startingReasons,
} from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, Field, TextField, Tree, type TreeNode } from "../../kit/index.ts";
import { matches } from "../directory.ts";
import { getLocale, t } from "../i18n.ts";
import { HistoryDialog } from "../master-data/history-dialog.tsx";
import { ItemForm } from "../master-data/item-form.tsx";
import type { ViewProps } from "../master-data/items-view.tsx";
import { type Held, useMasterData } from "../master-data/store.ts";
import { TransferButtons } from "../master-data/transfer.tsx";
import { ProblemView } from "../problem.tsx";
import { allowed } from "../session.ts";

type Reason = MasterDataItem<"reason">;

/** The starting vocabulary with a plant's own reasons in it or in the place of one. */
export function allReasons(own: readonly Recorded<Reason>[]): Reason[] {
  const mine = own.map(({ item }) => item);
  const replaced = new Set(mine.map(({ number }) => number));
  return [...startingReasons.filter(({ number }) => !replaced.has(number)), ...mine].sort(
    (a, b) => a.number - b.number,
  );
}

/** The next number that is free below a parent: between two of the starting vocabulary is room for a plant's own. */
export function freeNumber(reasons: readonly Reason[], parent: number | null): number {
  const taken = new Set(reasons.map(({ number }) => number));
  let number = (parent ?? 9_000_000) + 1;
  while (taken.has(number)) number++;
  return number;
}

/** The reasons of the plant as a tree, each planned or not. */
export function ReasonsView({ head, filter, selected, onSelect }: ViewProps) {
  const held = useMasterData("reason");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [editing, setEditing] = useState<{ base: Recorded<Reason> | null; start: Reason } | null>(null);
  const [history, setHistory] = useState(false);
  const may = allowed("configure");
  const reasons = useMemo(() => allReasons(held.items), [held.items]);
  const own = useMemo(() => new Map(held.items.map((one) => [one.item.number, one])), [held.items]);
  const language = getLocale();
  const fits = ({ number, name }: Reason): boolean =>
    filter === "" || matches(filter, name.de, name.en, String(number));
  const nodesBelow = (parent: number | null): TreeNode[] =>
    reasons
      .filter((one) => one.parent === parent)
      .flatMap((one): TreeNode[] => {
        const children = nodesBelow(one.number);
        if (children.length === 0 && !fits(one)) return [];
        const mine = own.has(one.number);
        return [
          {
            id: String(one.number),
            label: (
              <>
                <span className={mine ? "reason-own" : ""}>{one.name[language]}</span>
                {one.planned !== null && <span className="reason-planned">{t(`planned.${one.planned}`)}</span>}
              </>
            ),
            note: <span className="mono">{one.number}</span>,
            ...(children.length === 0 ? {} : { children }),
          },
        ];
      });
  const nodes = nodesBelow(null);
  const open = new Set(reasons.map(({ number }) => String(number)).filter((id) => !closed.has(id)));
  const chosen = reasons.find(({ number }) => String(number) === selected);
  const mine = chosen === undefined ? undefined : own.get(chosen.number);
  if (held.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={held.error} />
      </div>
    );
  if (held.state === "loading") return <p className="quiet-wait">{t("wait.materials")}</p>;
  return (
    <div className={`plan-page ${chosen === undefined ? "" : "with-inspector"}`}>
      <section className="plan-main" aria-label={t("materials.reasons")}>
        <div className="toolbar">
          {head}
          <span className="count" role="status">
            {t("reasons.own", { n: held.items.length })}
          </span>
          <span className="spring" />
          <TransferButtons kinds={["reason", "material", "idealCycleTime"]} />
          {may && (
            <Button
              kind="main"
              icon="plus"
              onClick={() => setEditing({ base: null, start: freshBelow(chosen ?? null, reasons) })}
            >
              {t(chosen === undefined ? "reason.new" : "reason.below")}
              {chosen !== undefined && <span className="unseen">{chosen.name[language]}</span>}
            </Button>
          )}
        </div>
        <div className="reason-tree">
          {nodes.length === 0 ? (
            <p className="soft">{t("materials.noneFits")}</p>
          ) : (
            <Tree
              label={t("materials.reasons")}
              nodes={nodes}
              selected={selected}
              open={open}
              onOpen={(next) =>
                setClosed(new Set(reasons.map(({ number }) => String(number)).filter((id) => !next.has(id))))
              }
              onSelect={onSelect}
            />
          )}
        </div>
      </section>
      {chosen !== undefined && (
        <aside className="inspector" aria-label={chosen.name[language]}>
          <header className="panel-head">
            <h2>{chosen.name[language]}</h2>
            <Button kind="quiet" icon="close" aria-label={t("close")} onClick={() => onSelect(null)} />
          </header>
          <p className="soft">{t(mine === undefined ? "reason.starting" : "reason.ownOne")}</p>
          <dl className="facts">
            <Fact name={t("reason.number")} value={String(chosen.number)} />
            <Fact
              name={t("reason.planned")}
              value={chosen.planned === null ? t("reason.unplanned") : t(`planned.${chosen.planned}`)}
            />
            <Fact name={t("reason.itemState")} value={chosen.itemState ?? "–"} />
            <Fact name={t("reason.operationMode")} value={chosen.operationMode ?? "–"} />
            <Fact name={t("reason.loss")} value={chosen.loss === null ? "–" : t(`loss.${chosen.loss}`)} />
          </dl>
          <div className="form-buttons">
            {may && (
              <Button icon="pencil" onClick={() => setEditing({ base: mine ?? null, start: chosen })}>
                {t(mine === undefined ? "reason.replace" : "reason.editButton")}
              </Button>
            )}
            {mine !== undefined && (
              <Button icon="restart" onClick={() => setHistory(true)}>
                {t("history.button")}
              </Button>
            )}
          </div>
        </aside>
      )}
      {editing !== null && (
        <ReasonForm
          base={editing.base}
          start={editing.start}
          reasons={reasons}
          held={held}
          onClose={(id) => {
            setEditing(null);
            if (id !== null) onSelect(id);
          }}
        />
      )}
      {history && mine !== undefined && <HistoryDialog kind="reason" id={mine.id} onClose={() => setHistory(false)} />}
    </div>
  );
}

/** A new reason below another is of its kind, until somebody says else. */
function freshBelow(parent: Reason | null, reasons: readonly Reason[]): Reason {
  return {
    number: freeNumber(reasons, parent?.number ?? null),
    parent: parent?.number ?? null,
    name: { en: "", de: "" },
    itemState: parent?.itemState ?? null,
    operationMode: parent?.operationMode ?? null,
    planned: parent?.planned ?? null,
    loss: parent?.loss ?? null,
  };
}

function ReasonForm(props: {
  base: Recorded<Reason> | null;
  start: Reason;
  reasons: readonly Reason[];
  held: Held<"reason">;
  onClose(id: string | null): void;
}) {
  const { reasons, held } = props;
  const [base, setBase] = useState(props.base);
  const [form, setForm] = useState(props.start);
  const language = getLocale();
  const current = held.items.find(({ id }) => id === base?.id);
  const starting = startingReasons.some(({ number }) => number === form.number);
  const taken = base === null && held.items.some(({ item }) => item.number === form.number);
  const named = form.name.de.trim() !== "" && form.name.en.trim() !== "";
  const whole = named && !taken && form.number > 0 && form.number <= 33_554_431;
  const set = (part: Partial<Reason>): void => setForm({ ...form, ...part });
  return (
    <ItemForm
      kind="reason"
      title={base === null ? t("reason.new") : t("reason.edit", { name: form.name[language] })}
      base={base}
      current={current}
      id={String(form.number)}
      item={whole ? form : null}
      touched={null}
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        if (current !== undefined) setForm(current.item);
      }}
    >
      <div className="form-grid">
        <TextField
          label={t("reason.nameDe")}
          value={form.name.de}
          required
          maxLength={128}
          onChange={(de) => set({ name: { ...form.name, de } })}
        />
        <TextField
          label={t("reason.nameEn")}
          value={form.name.en}
          required
          maxLength={128}
          onChange={(en) => set({ name: { ...form.name, en } })}
        />
        <TextField
          label={t("reason.number")}
          hint={starting ? t("reason.replaces") : t("reason.numberHint")}
          fault={taken ? t("masterData.taken") : null}
          value={String(form.number)}
          disabled={base !== null}
          inputMode="numeric"
          required
          onChange={(text) => set({ number: Number(text.replace(/\D/g, "")) })}
        />
        <Field label={t("reason.parent")}>
          {(id) => (
            <select
              id={id}
              className="input"
              value={form.parent ?? ""}
              onChange={(event) => set({ parent: event.target.value === "" ? null : Number(event.target.value) })}
            >
              <option value="">{t("reason.top")}</option>
              {reasons.map(({ number, name }) => (
                <option key={number} value={number}>
                  {number} {name[language]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Choice
          label={t("reason.planned")}
          hint={t("reason.plannedHint")}
          none={t("reason.unplanned")}
          values={plannedClasses}
          value={form.planned}
          text={(one) => t(`planned.${one}`)}
          onChange={(planned) => set({ planned })}
        />
        <Choice
          label={t("reason.loss")}
          hint={t("reason.lossHint")}
          none={t("reason.noLoss")}
          values={reasonLosses}
          value={form.loss}
          text={(one) => t(`loss.${one}`)}
          onChange={(loss) => set({ loss })}
        />
        <Choice
          label={t("reason.itemState")}
          none={t("reason.keeps")}
          values={itemStates}
          value={form.itemState}
          text={(one) => one}
          onChange={(itemState) => set({ itemState })}
        />
        <Choice
          label={t("reason.operationMode")}
          none={t("reason.keeps")}
          values={operationModes}
          value={form.operationMode}
          text={(one) => one}
          onChange={(operationMode) => set({ operationMode })}
        />
      </div>
      <p className="effect-past">{t("reason.effect")}</p>
    </ItemForm>
  );
}

function Choice<T extends string>(props: {
  label: string;
  hint?: string;
  none: string;
  values: readonly T[];
  value: T | null;
  text(value: T): string;
  onChange(value: T | null): void;
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {(id) => (
        <select
          id={id}
          className="input"
          value={props.value ?? ""}
          onChange={(event) => props.onChange(props.values.find((one) => one === event.target.value) ?? null)}
        >
          <option value="">{props.none}</option>
          {props.values.map((one) => (
            <option key={one} value={one}>
              {props.text(one)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
