import type { MasterDataItem, Recorded } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Field } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { touchedByRange } from "../master-data/effect.ts";
import { equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { ItemForm } from "../master-data/item-form.tsx";
import { useMasterData } from "../master-data/store.ts";
import { EquipmentField, keptMicros, localOfMicros, ValidityFields } from "../orders/fields.tsx";

type Assignment = MasterDataItem<"calendarAssignment">;

/** Who works by a calendar, and since when. */
export function Assignments({ calendar, may }: { calendar: string; may: boolean }) {
  const held = useMasterData("calendarAssignment");
  const [editing, setEditing] = useState<Recorded<Assignment> | "new" | null>(null);
  const own = held.items.filter(({ item }) => item.calendar === calendar);
  return (
    <section className="assignments" aria-label={t("calendar.assignments")}>
      <header className="section-head">
        <h2>{t("calendar.assignments")}</h2>
        {may && (
          <Button
            kind="quiet"
            icon="plus"
            aria-label={t("calendar.assign")}
            title={t("calendar.assign")}
            onClick={() => setEditing("new")}
          />
        )}
      </header>
      {own.length === 0 && held.state === "ready" && <p className="attention-note">{t("calendar.unassigned")}</p>}
      <ul>
        {own.map((one) => (
          <li
            key={one.id}
            className={held.pending.has(one.id) ? "pending" : held.rolledBack.has(one.id) ? "rolled-back" : ""}
          >
            <button type="button" className="assignment" disabled={!may} onClick={() => setEditing(one)}>
              <span className="clip">{equipmentPath(one.item.equipmentId)}</span>
              <span className="soft">{rangeText(one.item.fromUs, one.item.toUs)}</span>
            </button>
          </li>
        ))}
      </ul>
      {editing !== null && (
        <AssignmentForm
          calendar={calendar}
          start={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </section>
  );
}

function AssignmentForm({
  calendar,
  start,
  onClose,
}: {
  calendar: string;
  start: Recorded<Assignment> | null;
  onClose(): void;
}) {
  const { equipment } = useDirectory();
  const held = useMasterData("calendarAssignment");
  const calendars = useMasterData("calendar");
  const [base, setBase] = useState(start);
  const [form, setForm] = useState(() => ({
    equipmentId: start?.item.equipmentId ?? equipment[0]?.id ?? 0,
    calendar: start?.item.calendar ?? calendar,
    from: localOfMicros(start?.item.fromUs ?? Math.floor(nowUs() / 60_000_000) * 60_000_000),
    to: localOfMicros(start?.item.toUs ?? null),
  }));
  const set = (part: Partial<typeof form>): void => setForm({ ...form, ...part });
  const fromUs = keptMicros(form.from, base?.item.fromUs ?? null);
  const item: Assignment | null =
    fromUs === null
      ? null
      : {
          equipmentId: form.equipmentId,
          calendar: form.calendar,
          fromUs,
          toUs: form.to === "" ? null : keptMicros(form.to, base?.item.toUs ?? null),
        };
  const id = base?.id ?? `${form.equipmentId}-${fromUs ?? 0}`;
  const current = held.items.find((one) => one.id === base?.id);
  return (
    <ItemForm
      kind="calendarAssignment"
      title={t(base === null ? "calendar.assign" : "calendar.assignment")}
      base={base}
      current={current}
      id={id}
      item={item}
      touched={item === null ? [] : touchedByRange(base?.item ?? null, item)}
      onClose={onClose}
      onTake={() => setBase(current ?? null)}
    >
      <EquipmentField
        label={t("calendar.equipment")}
        hint={t("calendar.equipmentHint")}
        items={equipment}
        value={form.equipmentId}
        onChange={(equipmentId) => set({ equipmentId })}
      />
      <Field label={t("calendar.calendar")}>
        {(field) => (
          <select
            id={field}
            className="input"
            value={form.calendar}
            onChange={(event) => set({ calendar: event.target.value })}
          >
            {calendars.items.map((one) => (
              <option key={one.id}>{one.id}</option>
            ))}
          </select>
        )}
      </Field>
      <div className="form-grid">
        <ValidityFields from={form.from} to={form.to} onChange={set} />
      </div>
    </ItemForm>
  );
}
