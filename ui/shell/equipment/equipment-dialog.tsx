import {
  type Equipment,
  type EquipmentChange,
  equipmentLevels,
  lifecycleStates,
  nameFault,
} from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog, Field, TextField } from "../../kit/index.ts";
import { ChangeDialog } from "../configuration/change-dialog.tsx";
import { changedEquipment, movedEquipment, withoutEquipment } from "../configuration/editing.ts";
import { readConfiguration } from "../configuration/service.ts";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { modelReference } from "../machines/models.ts";
import { useLoaded } from "../use.ts";
import { DatedChange } from "./dated-change.tsx";
import { fromLocalTime } from "./local-time.ts";

type Going = "changing" | "dated" | "removing" | null;

/** Name, place, life-cycle and model of one equipment; each change is seen as a plan before it is done. */
export function EquipmentDialog({ item, onClose }: { item: Equipment; onClose(): void }) {
  const { equipment } = useDirectory();
  const parentPath = item.path.split("/").slice(0, -1).join("/");
  const [name, setName] = useState(item.name);
  const [parent, setParent] = useState(parentPath);
  const [lifecycle, setLifecycle] = useState<string>(item.lifecycle);
  const [model, setModel] = useState(item.model ?? "");
  const [since, setSince] = useState("");
  const [going, setGoing] = useState<Going>(null);
  const known = useLoaded(
    "models",
    async (signal) => (await readConfiguration(undefined, signal)).configuration.models ?? [],
  );
  const level = equipmentLevels.indexOf(item.level);
  // A parent stands above, and not within what is moved.
  const parents = equipment.filter(
    ({ path, level: one }) =>
      path !== "" && equipmentLevels.indexOf(one) < level && path !== item.path && !path.startsWith(`${item.path}/`),
  );
  const path = parent === "" ? name.trim() : `${parent}/${name.trim()}`;
  const fault =
    nameFault(name.trim()) !== null
      ? t("name.invalid")
      : path !== item.path && equipment.some((one) => one.path === path)
        ? t("newEquipment.taken")
        : null;
  const unchanged = path === item.path && lifecycle === item.lifecycle && model === (item.model ?? "");
  const references = [...new Set([...(known.data ?? []).map(modelReference), ...(item.model ? [item.model] : [])])];

  const validFrom = fromLocalTime(since);
  if (going === "dated" && validFrom !== undefined) {
    // "" is the enterprise itself.
    const parentItem = equipment.find((one) => one.path === parent);
    const wanted = [
      ["name", item.name, name.trim()],
      ["parent", parentPath, parent],
      ["lifecycle", item.lifecycle, lifecycle],
      ["model", item.model ?? null, model === "" ? null : model],
    ] as const;
    const changes = wanted.flatMap(([field, from, to]) => (from === to ? [] : [{ field, from, to }]));
    const has = (field: string): boolean => changes.some((one) => one.field === field);
    const body: EquipmentChange = {
      ...(has("name") ? { name: name.trim() } : {}),
      ...(has("parent") && parentItem !== undefined ? { parentId: parentItem.id } : {}),
      ...(has("lifecycle") ? { lifecycle: lifecycle as Equipment["lifecycle"] } : {}),
      ...(has("model") ? { model: model === "" ? null : model } : {}),
    };
    return (
      <DatedChange
        item={item}
        wish={{ body, changes }}
        validFrom={validFrom}
        onClose={(done) => (done ? onClose() : setGoing(null))}
      />
    );
  }
  if (going !== null)
    return (
      <ChangeDialog
        title={t(going === "removing" ? "equipment.removing" : "equipment.changing", { name: item.name })}
        edit={(current) => {
          if (going === "removing") return { value: withoutEquipment(current, item.path) };
          const moved = path === item.path ? current : movedEquipment(current, item.path, path);
          return {
            value: changedEquipment(moved, path, ({ model: _, lifecycle: __, ...rest }) => ({
              ...rest,
              ...(lifecycle === "productive" ? {} : { lifecycle: lifecycle as Equipment["lifecycle"] }),
              ...(model === "" ? {} : { model }),
            })),
          };
        }}
        onClose={(done) => (done ? onClose() : setGoing(null))}
      />
    );
  return (
    <Dialog title={t("equipment.edit", { name: item.name })} closeLabel={t("close")} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setGoing(validFrom === undefined ? "changing" : "dated");
        }}
      >
        <TextField label={t("tree.name")} value={name} onChange={setName} fault={fault} maxLength={512} />
        <Field label={t("newEquipment.below")} hint={t("equipment.moveHint")}>
          {(id) => (
            <select id={id} className="input" value={parent} onChange={(event) => setParent(event.target.value)}>
              <option value="">{t("level.enterprise")}</option>
              {parents.map((one) => (
                <option key={one.id} value={one.path}>
                  {one.path}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("equipment.lifecycle")} hint={t("equipment.lifecycleHint")}>
          {(id) => (
            <select id={id} className="input" value={lifecycle} onChange={(event) => setLifecycle(event.target.value)}>
              {lifecycleStates.map((one) => (
                <option key={one} value={one}>
                  {t(`lifecycle.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("newEquipment.model")} hint={t("equipment.modelHint")}>
          {(id) => (
            <select id={id} className="input" value={model} onChange={(event) => setModel(event.target.value)}>
              <option value="">{t("newEquipment.noModel")}</option>
              {references.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("equipment.validFrom")} hint={t("equipment.validFromHint")}>
          {(id) => (
            <input
              id={id}
              type="datetime-local"
              step="1"
              className="input"
              value={since}
              onChange={(event) => setSince(event.target.value)}
            />
          )}
        </Field>
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={unchanged || fault !== null}>
            {t("import.plan")}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            {t("cancel")}
          </Button>
          <span className="spring" />
          <Button kind="danger" icon="bin" onClick={() => setGoing("removing")}>
            {t("equipment.remove")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
