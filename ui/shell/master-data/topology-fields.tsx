import { type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { Button } from "../../kit/index.ts";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { useFault } from "./entry.tsx";
import type { FieldEntry, GroupDraft, RowDraft } from "./fields.ts";
import { machinesBelow } from "./places.ts";
import { added, inFlow, isBeside, joined, moved, without } from "./topology.ts";
import { labelOf } from "./words.ts";

/** The machines of a line in the flow of material: put in order by dragging or by arrow keys, with the one that limits the line and the one whose output is its own. */
export function TopologyFields(props: {
  fields: readonly FieldEntry[];
  draft: GroupDraft;
  onChange(draft: GroupDraft): void;
}) {
  const { draft, onChange } = props;
  const { equipment, equipmentById } = useDirectory();
  const [said, setSaid] = useState("");
  const dragged = useRef<number | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const members = props.fields.find(({ name }) => name === "members");
  const columns = members?.fields ?? [];
  const rows = inFlow(draft.members as readonly RowDraft[]);
  const nameOf = (row: RowDraft): string =>
    equipmentById.get(Number(row.fields.equipmentId))?.name ?? `#${row.fields.equipmentId}`;
  const set = (next: readonly RowDraft[], part: GroupDraft = {}): void => {
    const ids = next.map(({ fields }) => String(fields.equipmentId));
    const among = (id: unknown): string => (ids.includes(String(id)) ? String(id) : (ids.at(-1) ?? ""));
    const { constraint, output } = { ...draft, ...part };
    onChange({ ...draft, members: next, constraint: among(constraint), output: among(output) });
  };
  const move = (from: number, to: number): void => {
    if (to < 0 || to >= rows.length || from === to) return;
    const next = moved(rows, from, to);
    set(next);
    setSaid(t("topology.moved", { machine: nameOf(rows[from]), stage: String(next[to].fields.stage) }));
    // The hand stays on the row that moves.
    requestAnimationFrame(() => body.current?.querySelectorAll<HTMLElement>(".topology-handle")[to]?.focus());
  };
  const onKey = (event: KeyboardEvent, at: number): void => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    move(at, at + step);
  };
  const onDrop = (event: DragEvent, at: number): void => {
    event.preventDefault();
    if (dragged.current !== null) move(dragged.current, at);
    dragged.current = null;
  };
  const change = (at: number, unitsPerCount: string): void =>
    set(rows.map((row, i) => (i === at ? { ...row, fields: { ...row.fields, unitsPerCount } } : row)));
  const taken = new Set(rows.map(({ fields }) => Number(fields.equipmentId)));
  const free = machinesBelow(equipment, Number(draft.equipmentId)).filter((id) => !taken.has(id));
  const fault = useFault(members ?? ({ least: 1 } as FieldEntry), "members");
  return (
    <fieldset className="rows">
      <legend>{labelOf("lineTopology", "members")}</legend>
      <p className="field-hint">{t("topology.hint")}</p>
      {rows.length > 0 && (
        <div className="table-frame kind-rows topology">
          <table className="plain">
            <caption className="unseen">{labelOf("lineTopology", "members")}</caption>
            <thead>
              <tr>
                <th className="right">{t("topology.stage")}</th>
                <th>{labelOf("members", "equipmentId")}</th>
                <th>{labelOf("members", "unitsPerCount")}</th>
                <th>{labelOf("lineTopology", "constraint")}</th>
                <th>{labelOf("lineTopology", "output")}</th>
                <th>
                  <span className="unseen">{t("mapping.removeHead")}</span>
                </th>
              </tr>
            </thead>
            <tbody ref={body}>
              {rows.map((row, i) => {
                const machine = nameOf(row);
                const beside = isBeside(rows, i);
                const id = String(row.fields.equipmentId);
                const units = columns.find(({ name }) => name === "unitsPerCount");
                return (
                  <tr
                    key={row.key}
                    className={beside ? "topology-beside" : ""}
                    onDragOver={(event) => event.preventDefault()}
                    onDrop={(event) => onDrop(event, i)}
                  >
                    <td className="right topology-stage">{beside ? "" : String(row.fields.stage)}</td>
                    <th scope="row">
                      <button
                        type="button"
                        className="topology-handle"
                        draggable
                        aria-label={t("topology.move", { machine })}
                        onDragStart={() => {
                          dragged.current = i;
                        }}
                        onKeyDown={(event) => onKey(event, i)}
                      >
                        <span aria-hidden="true">⠿</span>
                      </button>
                      {machine}
                      {i > 0 && (
                        <label className="topology-parallel">
                          <input
                            type="checkbox"
                            aria-label={t("topology.besideOf", { machine })}
                            checked={beside}
                            onChange={(event) => set(joined(rows, i, event.target.checked))}
                          />
                          <span className="soft">{t("topology.beside")}</span>
                        </label>
                      )}
                    </th>
                    <td>
                      <input
                        className="input short"
                        inputMode="decimal"
                        aria-label={t("topology.unitsOf", { machine })}
                        value={String(row.fields.unitsPerCount)}
                        onChange={(event) => change(i, event.target.value)}
                      />
                      {units !== undefined && <Fault entry={units} place={`members.${row.key}.unitsPerCount`} />}
                    </td>
                    {(["constraint", "output"] as const).map((role) => (
                      <td key={role}>
                        <input
                          type="radio"
                          name={role}
                          aria-label={t(`topology.${role}Of`, { machine })}
                          checked={draft[role] === id}
                          onChange={() => set(rows, { [role]: id })}
                        />
                      </td>
                    ))}
                    <td>
                      <Button
                        kind="quiet"
                        icon="close"
                        aria-label={t("topology.remove", { machine })}
                        onClick={() => set(without(rows, i))}
                      />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      <p className="unseen" role="status">
        {said}
      </p>
      {fault !== null && <p className="field-fault">{fault}</p>}
      <div className="form-buttons">
        {free.length > 0 && (
          <select
            className="input auto"
            aria-label={t("topology.add")}
            value=""
            onChange={(event) => set(added(rows, columns, [Number(event.target.value)]))}
          >
            <option value="">{t("topology.add")}</option>
            {free.map((id) => (
              <option key={id} value={id}>
                {equipmentById.get(id)?.name ?? `#${id}`}
              </option>
            ))}
          </select>
        )}
        {rows.length === 0 && free.length > 1 && (
          <Button onClick={() => set(added(rows, columns, free))}>{t("topology.all", { n: free.length })}</Button>
        )}
      </div>
    </fieldset>
  );
}

function Fault({ entry, place }: { entry: FieldEntry; place: string }) {
  const fault = useFault(entry, place);
  return fault === null ? null : <span className="field-fault block">{fault}</span>;
}
