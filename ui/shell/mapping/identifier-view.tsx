import {
  exactText,
  type IdentifierRule,
  type LookUp,
  type MasterDataItem,
  type RawTag,
  type Recorded,
} from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { tagName, useDirectory } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { KindForm } from "../master-data/kind-form.tsx";
import { useMasterData } from "../master-data/store.ts";
import { choiceText } from "../master-data/words.ts";
import { ProblemView } from "../problem.tsx";
import { allowed } from "../session.ts";
import { useLive } from "../use.ts";
import { rulesOf, told } from "./identifier-model.ts";
import { useRecording } from "./recording.ts";
import { tableValue, valueInput } from "./values.ts";
import "./mapping.css";

const rowsMax = 200;

type Editing =
  | { kind: "identifierRule"; base: Recorded<IdentifierRule> | null }
  | { kind: "lookUp"; base: Recorded<LookUp>; begun: LookUp };

/** What an identifier of a machine tells: the rules that take it, and what they make of the values that come and came. */
export function IdentifierView(props: { tag: RawTag; property: string; path: string; onBack(): void }) {
  const { tag, property, path } = props;
  const { equipment, equipmentById } = useDirectory();
  const rules = useMasterData("identifierRule");
  const lookUps = useMasterData("lookUp");
  const [editing, setEditing] = useState<Editing | null>(null);
  const found = useRecording(tag.id, "month");
  const last = useLive(tag.id);
  const now = nowUs();
  const own = rulesOf(rules.items, equipmentById, path, property, now);
  const lookUpOf = ({ item }: Recorded<IdentifierRule>) => lookUps.items.find(({ id }) => id === item.lookUp) ?? null;
  const present = last?.time == null ? null : tableValue(last.value);
  const values = useMemo(() => {
    const recorded = found.data?.values ?? [];
    const isNew = present !== null && !recorded.some(({ value }) => value === present);
    return isNew ? [{ value: present, count: 0, lastUs: last?.time ?? 0 }, ...recorded] : recorded;
  }, [found.data, present, last?.time]);
  const machine = equipment.find((one) => one.path === path)?.id ?? 0;
  const may = allowed("configure");
  if (editing?.kind === "identifierRule")
    return (
      <KindForm
        kind="identifierRule"
        base={editing.base}
        held={rules}
        {...(editing.base === null ? { start: { equipmentId: machine, property } } : {})}
        onClose={() => setEditing(null)}
      />
    );
  if (editing !== null)
    return (
      <KindForm
        kind="lookUp"
        base={editing.base}
        held={lookUps}
        start={editing.begun}
        onClose={() => setEditing(null)}
      />
    );
  /** The row is begun; what it stands for is left to say. */
  const addRow = (table: Recorded<LookUp>, value: string): void => {
    const row = { value, id: "", fromUs: 0, toUs: null };
    setEditing({ kind: "lookUp", base: table, begun: { ...table.item, rows: [row, ...table.item.rows] } });
  };
  return (
    <Dialog
      title={t("mapping.title", { name: tagName(tag), property })}
      closeLabel={t("close")}
      onClose={props.onBack}
      className="mapping-dialog"
    >
      <p className="soft">{t("identifying.what", { place: path.replaceAll("/", " / "), property })}</p>
      <div className="mapping-editor">
        <section className="mapping-form" aria-label={t("identifying.rules")}>
          <h3>{t("identifying.rules")}</h3>
          {own.length === 0 && <p className="soft">{t("identifying.none")}</p>}
          <ul className="identifying">
            {own.map((rule) => (
              <li key={rule.id}>
                <RuleText rule={rule.item} place={equipmentById.get(rule.item.equipmentId)?.path ?? ""} />
                {may && (
                  <span className="form-buttons">
                    <Button icon="pencil" onClick={() => setEditing({ kind: "identifierRule", base: rule })}>
                      {t("identifying.edit")}
                    </Button>
                    <LookUpButton
                      table={lookUpOf(rule)}
                      onOpen={(table) => setEditing({ kind: "lookUp", base: table, begun: table.item })}
                    />
                  </span>
                )}
              </li>
            ))}
          </ul>
          {may && (
            <div className="form-buttons">
              <Button icon="plus" onClick={() => setEditing({ kind: "identifierRule", base: null })}>
                {t("new.identifierRule")}
              </Button>
            </div>
          )}
        </section>
        <section className="mapping-preview" aria-label={t("identifying.preview")}>
          <h3>{t("identifying.preview")}</h3>
          {found.error !== null && <ProblemView error={found.error} />}
          {found.data === null && found.error === null && <p className="quiet-wait">{t("wait.seen")}</p>}
          {found.data !== null && values.length === 0 && <p className="soft">{t("mapping.seenNone")}</p>}
          {values.length > 0 && (
            // biome-ignore lint/a11y/useSemanticElements: a region that scrolls, no fieldset
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too
            <div className="mapping-scroll mapping-seen" role="group" aria-label={t("mapping.seen")} tabIndex={0}>
              <table className="plain mapping-values">
                <caption className="unseen">{t("mapping.seen")}</caption>
                <thead>
                  <tr>
                    <th>{t("mapping.raw")}</th>
                    <th className="right">{t("mapping.count")}</th>
                    <th>{t("mapping.last")}</th>
                    <th>{t("identifying.tells")}</th>
                  </tr>
                </thead>
                <tbody>
                  {values.slice(0, rowsMax).map(({ value, count, lastUs }) => (
                    <tr key={`${typeof value} ${value}`}>
                      <td className="mono mapping-raw">
                        {valueInput(value)}
                        {value === present && <span className="soft"> {t("identifying.now")}</span>}
                      </td>
                      <td className="right">{count === 0 ? "" : fmt.integer(count)}</td>
                      <td className="nowrap soft">{fmt.dateTime(lastUs)}</td>
                      <td>
                        {own.length === 0 && <span className="soft">{t("item.none")}</span>}
                        {own.map((rule) => {
                          const table = lookUpOf(rule);
                          const { read, id } = told(rule.item, table?.item ?? null, exactText(value), lastUs);
                          return (
                            <Telling
                              key={rule.id}
                              dimension={rule.item.dimension}
                              read={read}
                              id={id}
                              {...(may && table !== null ? { onSay: (text: string) => addRow(table, text) } : {})}
                            />
                          );
                        })}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      </div>
      <div className="form-buttons">
        <Button onClick={props.onBack}>{t("mapping.back")}</Button>
      </div>
    </Dialog>
  );
}

function RuleText({ rule, place }: { rule: MasterDataItem<"identifierRule">; place: string }) {
  const { dimension, lookUp, none, prefix, padTo } = rule;
  const parts = [
    place === "" ? null : place.replaceAll("/", " / "),
    lookUp === null ? t("identifying.itself") : t("identifying.by", { lookUp }),
    prefix === null ? null : t("identifying.prefix", { prefix }),
    padTo === null ? null : t("identifying.padTo", { n: padTo }),
    none === null ? null : t("identifying.noneIs", { none }),
  ];
  return (
    <span>
      <b>{t("identifying.dimension", { dimension: choiceText(dimension) })}</b>{" "}
      <span className="soft">{parts.filter((part) => part !== null).join(" · ")}</span>
    </span>
  );
}

function LookUpButton({ table, onOpen }: { table: Recorded<LookUp> | null; onOpen(table: Recorded<LookUp>): void }) {
  if (table === null) return null;
  return (
    <Button icon="pencil" onClick={() => onOpen(table)}>
      {t("identifying.lookUp", { id: table.id })}
    </Button>
  );
}

function Telling(props: {
  dimension: IdentifierRule["dimension"];
  read: string | null;
  id: string | null;
  onSay?(read: string): void;
}) {
  const { dimension, read, id, onSay } = props;
  if (read === null)
    return <span className="soft block">{t("identifying.nothing", { dimension: choiceText(dimension) })}</span>;
  if (id !== null)
    return (
      <span className="block">
        <span className="soft">{choiceText(dimension)}</span> <b>{id}</b>
      </span>
    );
  return (
    <span className="mapping-mark mapping-unsaid">
      {onSay === undefined ? (
        t("identifying.unknown", { value: read })
      ) : (
        <Button icon="plus" aria-label={t("mapping.sayOf", { value: read })} onClick={() => onSay(read)}>
          {t("mapping.say")}
        </Button>
      )}
    </span>
  );
}
