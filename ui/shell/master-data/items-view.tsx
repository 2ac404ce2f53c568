import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { type ReactNode, useMemo, useState } from "react";
import { Button, EmptyState } from "../../kit/index.ts";
import { matches, useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { allowed } from "../session.ts";
import { HistoryDialog } from "./history-dialog.tsx";
import { type ItemColumn, ItemTable } from "./item-table.tsx";
import { type Held, type PlanKind, useMasterData } from "./store.ts";
import { TransferButtons } from "./transfer.tsx";

/** What a view of one kind is given by the page that it stands on. */
export interface ViewProps {
  head: ReactNode;
  filter: string;
  selected: string | null;
  onSelect(id: string | null): void;
}

/** The words of a kind: what it is called, and what an empty list teaches. */
export interface ItemWords {
  label: string;
  /** null: new ones are made elsewhere, or by a table. */
  create: string | null;
  empty: string;
  emptyHint: string;
}

/** All items of a kind as a table: found, opened, taken in and out as files, and made again what they were. */
export function ItemsView<K extends PlanKind>(
  props: ViewProps & {
    kind: K;
    /** The kinds of the page, this one first: for files. */
    kinds: readonly [PlanKind, ...PlanKind[]];
    words: ItemWords;
    columns: readonly ItemColumn<K>[];
    /** What the filter looks in. */
    textOf(row: Recorded<MasterDataItem<K>>): readonly (string | null)[];
    Form?(form: {
      base: Recorded<MasterDataItem<K>> | null;
      held: Held<K>;
      onClose(id: string | null): void;
    }): ReactNode;
  },
) {
  const { kind, words, filter, selected, onSelect, textOf, Form } = props;
  const held = useMasterData(kind);
  // A form that is opened before the machines are known could name none of them.
  const { state: names } = useDirectory();
  const [editing, setEditing] = useState<string | null>(null);
  const [history, setHistory] = useState(false);
  const may = allowed("configure") && Form !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it looks belongs to the kind
  const rows = useMemo(
    () => held.items.filter((row) => filter === "" || matches(filter, ...textOf(row))),
    [held.items, filter, kind],
  );
  const chosen = held.items.some(({ id }) => id === selected) ? selected : null;
  const add = may && words.create !== null && (
    <Button kind="main" icon="plus" onClick={() => setEditing("")}>
      {words.create}
    </Button>
  );
  if (held.state === "failed")
    return (
      <div className="page-scroll">
        <ProblemView error={held.error} />
      </div>
    );
  if (held.state === "loading" || names === "loading") return <p className="quiet-wait">{t("wait.materials")}</p>;
  return (
    <div className="plan-page">
      <section className="plan-main" aria-label={words.label}>
        <div className="toolbar">
          {props.head}
          <span className="count" role="status">
            {t("materials.count", { n: rows.length })}
          </span>
          <span className="spring" />
          <TransferButtons kinds={props.kinds} />
          <Button disabled={chosen === null} icon="restart" onClick={() => setHistory(true)}>
            {t("history.button")}
          </Button>
          {add}
        </div>
        <ItemTable
          label={words.label}
          held={held}
          rows={rows}
          columns={props.columns}
          selected={selected}
          onSelect={onSelect}
          onOpen={(id) => (may ? setEditing(id) : setHistory(true))}
          empty={
            <EmptyState title={held.items.length === 0 ? words.empty : t("materials.noneFits")}>
              {held.items.length === 0 && <p>{words.emptyHint}</p>}
              {held.items.length === 0 && add}
            </EmptyState>
          }
        />
      </section>
      {editing !== null && Form !== undefined && (
        <Form
          base={held.items.find(({ id }) => id === editing) ?? null}
          held={held}
          onClose={(id) => {
            setEditing(null);
            if (id !== null) onSelect(id);
          }}
        />
      )}
      {history && chosen !== null && <HistoryDialog kind={kind} id={chosen} onClose={() => setHistory(false)} />}
    </div>
  );
}
