import { type BindingEntry, type Property, propertyMapping, type RawTag } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, Dialog, Field, Segments } from "../../kit/index.ts";
import { tagName } from "../directory.ts";
import { fromLocalTime, toLocalTime } from "../equipment/local-time.ts";
import { fmt, t } from "../i18n.ts";
import { useMasterData } from "../master-data/store.ts";
import { allReasons } from "../materials/reasons.tsx";
import { newAlarmRow } from "./alarm-draft.ts";
import { AlarmTable } from "./alarm-table.tsx";
import { draftOf, type MappingDraft, mappingOf, newRow, remapped } from "./draft.ts";
import type { MappedKind } from "./meaning.ts";
import { CounterFields, PulseFields } from "./options.tsx";
import { Preview } from "./preview.tsx";
import { StateTable } from "./state-table.tsx";
import { type Seen, valueInput } from "./values.ts";
import "./mapping.css";

type Since = "ever" | "from";

/** What the raw values of a bound tag mean: the table beside what it would make of the values that come and came. */
export function MappingEditor(props: {
  tag: RawTag;
  property: Property & { kind: MappedKind };
  path: string;
  binding: BindingEntry;
  /** As it is in force, if it is: another mapping from a date on leaves what holds before. */
  saved: BindingEntry | undefined;
  onBack(): void;
  onDone(bindings: BindingEntry[]): void;
}) {
  const { tag, property, binding, saved } = props;
  const { kind } = property;
  const standard = useMemo(() => propertyMapping(property), [property]);
  const [own, setOwn] = useState(binding.mapping !== undefined);
  const [draft, setDraft] = useState(() => draftOf(binding.mapping ?? standard));
  const [fresh, setFresh] = useState<number | null>(null);
  const [since, setSince] = useState<Since>("ever");
  const [from, setFrom] = useState<string | undefined>(undefined);
  const held = useMasterData("reason");
  const reasons = useMemo(() => new Map(allReasons(held.items).map((reason) => [reason.number, reason])), [held.items]);
  const { mapping, faults } = useMemo(() => mappingOf(draft), [draft]);

  const change = (part: Partial<MappingDraft>): void => {
    setDraft({ ...draft, ...part });
    setOwn(true);
  };
  const add = (value = ""): void => {
    const row = kind === "alarm" ? newAlarmRow({ value }) : newRow({ value });
    if ("active" in row) change({ alarm: { ...draft.alarm, rows: [...draft.alarm.rows, row] } });
    else change({ rows: [...draft.rows, row] });
    setFresh(row.id);
  };
  const say = (value: Seen["value"]): void => {
    const text = valueInput(value);
    // A row that was begun for this very value is the one to go on with.
    const rows: readonly { id: number; by: string; value: string }[] = kind === "alarm" ? draft.alarm.rows : draft.rows;
    const begun = rows.find((row) => row.by === "value" && row.value === text);
    if (begun === undefined) add(text);
    else setFresh(begun.id);
  };
  const reset = (): void => {
    setDraft(draftOf(standard));
    setOwn(false);
  };

  const said = own ? mapping : undefined;
  const dated =
    since === "ever"
      ? remapped(binding, said, undefined)
      : from === undefined
        ? null
        : saved !== undefined
          ? remapped(saved, said, from)
          : (remapped({ ...binding, validFrom: undefined }, said, from)?.slice(1) ?? null);
  const title = t("mapping.title", { name: tagName(tag), property: property.name });
  return (
    <Dialog title={title} closeLabel={t("close")} onClose={props.onBack} className="mapping-dialog">
      <p className="soft">{t("mapping.what", { place: props.path.replaceAll("/", " / "), property: property.name })}</p>
      <div className="mapping-editor">
        <div className="mapping-form">
          {(kind === "itemState" || kind === "operationMode") && (
            <StateTable
              kind={kind}
              draft={draft}
              faults={faults}
              reasons={reasons}
              fresh={fresh}
              onChange={change}
              onAdd={() => add()}
            />
          )}
          {kind === "alarm" && (
            <AlarmTable
              draft={draft.alarm}
              faults={faults}
              reasons={reasons}
              fresh={fresh}
              onChange={(alarm) => change({ alarm })}
              onAdd={() => add()}
            />
          )}
          {kind === "counter" && <CounterFields draft={draft} faults={faults} onChange={change} />}
          {kind === "pulse" && <PulseFields draft={draft} faults={faults} onChange={change} />}
          <div className="mapping-since">
            <h3>{t("mapping.since")}</h3>
            <Segments<Since>
              label={t("mapping.since")}
              value={since}
              choices={[
                {
                  value: "ever",
                  label:
                    binding.validFrom === undefined
                      ? t("mapping.since.ever")
                      : t("mapping.since.start", { time: fmt.dateTime(Date.parse(binding.validFrom) * 1000) }),
                },
                { value: "from", label: t("mapping.since.from") },
              ]}
              onChange={setSince}
            />
            {since === "ever" ? (
              <p className="soft">{t("mapping.since.everHint")}</p>
            ) : (
              <Field
                label={t("meaning.validFrom")}
                hint={saved !== undefined ? t("mapping.since.fromHint") : undefined}
                fault={from !== undefined && dated === null ? t("mapping.fault.outsideTime") : null}
              >
                {(id) => (
                  <input
                    id={id}
                    type="datetime-local"
                    step="1"
                    className="input"
                    value={toLocalTime(from)}
                    onChange={(event) => setFrom(fromLocalTime(event.target.value))}
                  />
                )}
              </Field>
            )}
          </div>
        </div>
        <Preview tag={tag} kind={kind} mapping={mapping} reasons={reasons} onSay={say} />
      </div>
      {faults.size > 0 && (
        <p className="field-fault" role="status">
          {t("mapping.faults", { n: faults.size })}
        </p>
      )}
      <div className="form-buttons">
        <Button kind="main" disabled={faults.size > 0 || dated === null} onClick={() => props.onDone(dated ?? [])}>
          {t("import.plan")}
        </Button>
        {own && <Button onClick={reset}>{t("mapping.reset")}</Button>}
        <Button kind="quiet" onClick={props.onBack}>
          {t("mapping.back")}
        </Button>
      </div>
    </Dialog>
  );
}
