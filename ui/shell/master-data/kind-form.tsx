import { type MasterDataItem, type Micros, nameFault, ProblemError, type Recorded } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Field, Segments, TextField } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { localOfMicros, microsOf } from "../equipment/local-time.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { describeCode, describeError } from "../problem.tsx";
import { type Touched, touchedByRange } from "./effect.ts";
import { FormWorld } from "./entry.tsx";
import {
  draftOf,
  type FieldEntry,
  type FieldFault,
  fieldsOfKind,
  type GroupDraft,
  itemOf,
  placeOfPointer,
} from "./fields.ts";
import { ItemForm } from "./item-form.tsx";
import { GroupFields } from "./kind-fields.tsx";
import { type FormKind, idOf, type KindSpec, kindSpecs } from "./kinds.ts";
import { machinesBelow, usePlaces } from "./places.ts";
import { type Held, isTransferred, saveTogether } from "./store.ts";
import { TopologyFields } from "./topology-fields.tsx";
import { labelOf } from "./words.ts";

/** An item that holds for a time at an equipment, as most do. */
interface Dated {
  equipmentId: number;
  fromUs: Micros;
  toUs: Micros | null;
}
const isDated = (item: object): item is Dated => "equipmentId" in item && "fromUs" in item && "toUs" in item;

/** Made by the editor of the line, and by no field of their own. */
const ofTheLine: ReadonlySet<string> = new Set(["members", "constraint", "output"]);
/** How many things a form asks for. */
const leaves = (fields: readonly FieldEntry[]): number =>
  fields.reduce((sum, field) => sum + Math.max(1, leaves(field.fields)), 0);
const minuteUs = 60_000_000;

/** A form of one item of any kind, by the schema of the kind. */
export function KindForm<K extends FormKind>(props: {
  kind: K;
  base: Recorded<MasterDataItem<K>> | null;
  held: Held<K>;
  /** What stands in the fields at first: of a new one what is known already, else the item with something begun in it. */
  start?: Partial<MasterDataItem<K>>;
  onClose(id: string | null): void;
}) {
  const { kind, held } = props;
  const word: FormKind = kind;
  const spec = kindSpecs[kind] as unknown as KindSpec<K>;
  const fields = useMemo(() => fieldsOfKind(kind), [kind]);
  const { equipment } = useDirectory();
  const places = usePlaces(spec.places);
  const [base, setBase] = useState(props.base);
  const [start] = useState(
    () => base?.item ?? spec.start(places[0]?.id ?? 0, Math.floor(nowUs() / minuteUs) * minuteUs),
  );
  const [draft, setDraft] = useState<GroupDraft>(() => draftOf(fields, { ...start, ...props.start }));
  const [name, setName] = useState(base?.id ?? "");
  const [strict, setStrict] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const [since, setSince] = useState<"whole" | "date">("whole");
  const [sinceLocal, setSinceLocal] = useState("");
  const was = (base?.item ?? start) as Record<string, unknown>;
  const { item: said, faults } = useMemo(() => itemOf(fields, draft, was), [fields, draft, was]);

  const named = spec.idOf === null;
  const id = base?.id ?? (named ? name.trim() : (idOf(kind, said as MasterDataItem<K>) ?? ""));
  const taken = base === null && held.items.some((one) => one.id === id);
  const idFault = taken
    ? t("masterData.taken")
    : named && id !== "" && nameFault(id) !== null
      ? describeCode("name_invalid").title
      : null;
  const whole = faults.size === 0 && id !== "" && idFault === null;
  const sinceUs = since === "whole" ? null : microsOf(sinceLocal);
  const datedBase = base !== null && isDated(base.item) ? base.item : null;
  const inside =
    datedBase !== null &&
    sinceUs !== null &&
    sinceUs > datedBase.fromUs &&
    (datedBase.toUs === null || sinceUs < datedBase.toUs);
  // Every field has been checked against the schema of the kind.
  const item = whole && (since === "whole" || inside) ? (said as MasterDataItem<K>) : null;

  const touched = (): Touched[] | null => {
    if (spec.reach === "none") return null;
    if (item === null || !isDated(item)) return [];
    // Nothing was changed yet.
    if (base !== null && since === "whole" && JSON.stringify(item) === JSON.stringify(base.item)) return [];
    const ranges = inside && sinceUs !== null ? [{ ...item, fromUs: sinceUs }] : touchedByRange(datedBase, item);
    return ranges.flatMap(({ equipmentId, fromUs, toUs }) =>
      (spec.reach === "below" ? machinesBelow(equipment, equipmentId) : [equipmentId]).map((machine) => ({
        ...{ equipmentId: machine, fromUs, toUs },
      })),
    );
  };
  /** What held until then ends, and what is said now begins: both or neither. */
  const saveFromDate = (next: MasterDataItem<K>): Promise<{ error: unknown }> => {
    if (base === null || sinceUs === null) return Promise.resolve({ error: null });
    const begun = { ...next, fromUs: sinceUs };
    return saveTogether(kind, [
      { id: base.id, item: { ...base.item, toUs: sinceUs }, revision: base.revision },
      { id: idOf(kind, begun) ?? `${base.id}-${sinceUs}`, item: begun, revision: null },
    ]);
  };

  const refusedPlaces = refused instanceof ProblemError ? (refused.toProblem().errors ?? []) : [];
  const refusedAt = (place: string): string | null =>
    refusedPlaces.some(({ path }) => placeOfPointer(path, draft) === place) ? describeError(refused).title : null;
  const faultAt = (place: string): FieldFault | undefined => {
    const fault = faults.get(place);
    // Nothing is missing before somebody wanted to be done.
    return strict || (fault !== "missing" && fault !== "rows") ? fault : undefined;
  };
  const current = held.items.find((one) => one.id === base?.id);
  const shown = kind === "lineTopology" ? fields.filter(({ name }) => !ofTheLine.has(name)) : fields;
  const change = (next: GroupDraft): void => {
    setDraft(next);
    setRefused(null);
  };
  return (
    <ItemForm
      kind={kind}
      title={base === null ? t(`new.${word}`) : named ? `${t(`one.${word}`)} ${base.id}` : t(`one.${word}`)}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={touched()}
      broad={leaves(fields) > 3}
      {...(since === "date" ? { save: saveFromDate } : {})}
      onIncomplete={() => setStrict(true)}
      onRefused={setRefused}
      onClose={props.onClose}
      onTake={() => {
        setBase(current ?? null);
        setDraft(draftOf(fields, current?.item ?? start));
      }}
    >
      <FormWorld value={{ equipment: places, faultAt, refusedAt }}>
        {named && (
          <TextField
            label={labelOf(kind, "id")}
            value={name}
            disabled={base !== null}
            maxLength={128}
            fault={idFault ?? (strict && id === "" ? t("fault.missing") : null)}
            onChange={setName}
          />
        )}
        <GroupFields fields={shown} within={kind} place="" draft={draft} onChange={change} />
        {kind === "lineTopology" && <TopologyFields fields={fields} draft={draft} onChange={change} />}
        {datedBase !== null && isTransferred(kind) && (
          <div className="kind-since">
            <Segments<"whole" | "date">
              label={t("item.since")}
              value={since}
              choices={[
                { value: "whole", label: t("item.whole") },
                { value: "date", label: t("item.fromDate") },
              ]}
              onChange={setSince}
            />
            {since === "date" && (
              <Field
                label={t("item.fromDate")}
                hint={t("item.fromDateHint")}
                fault={sinceUs !== null && !inside ? t("item.outside") : null}
              >
                {(field) => (
                  <input
                    id={field}
                    type="datetime-local"
                    step="1"
                    className="input auto"
                    min={localOfMicros(datedBase.fromUs)}
                    value={sinceLocal}
                    onChange={(event) => setSinceLocal(event.target.value)}
                  />
                )}
              </Field>
            )}
          </div>
        )}
      </FormWorld>
    </ItemForm>
  );
}
