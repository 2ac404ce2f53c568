import {
  type EquipmentEntry,
  type EquipmentLevel,
  equipmentLevels,
  type Model,
  nameFault,
} from "@lineshaft/contract/api";
import { type FormEvent, useState } from "react";
import { Button, Field, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { modelReference } from "./models.ts";
import type { Place } from "./place-step.tsx";

/** Equipment that is made with the plan. Several names joined by "/" make what is missing between. */
export function NewEquipmentForm(props: {
  places: readonly Place[];
  models: readonly Model[];
  onDone(entries: EquipmentEntry[]): void;
  onCancel(): void;
}) {
  const [parent, setParent] = useState("");
  const [name, setName] = useState("");
  const parentLevel = (props.places.find(({ path }) => path === parent)?.level ?? "enterprise") as EquipmentLevel;
  const levels = equipmentLevels.slice(equipmentLevels.indexOf(parentLevel) + 1) as Exclude<
    EquipmentLevel,
    "enterprise"
  >[];
  const [level, setLevel] = useState<string | null>(null);
  const [model, setModel] = useState("");
  const chosen = levels.find((one) => one === level) ?? levels[levels.length - 1];
  const parts = name.split("/").map((part) => part.trim());
  const path = parent === "" ? parts.join("/") : `${parent}/${parts.join("/")}`;
  const fault = parts.some((part) => nameFault(part) !== null)
    ? t("name.invalid")
    : props.places.some((one) => one.path === path)
      ? t("newEquipment.taken")
      : parts.length > levels.indexOf(chosen) + 1
        ? t("newEquipment.tooDeep")
        : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    // The last has the chosen level; those between have the ones right above it.
    const end = levels.indexOf(chosen);
    const from = end - parts.length + 1;
    const entries = parts.map(
      (_, i): EquipmentEntry => ({
        path: [...(parent === "" ? [] : [parent]), ...parts.slice(0, i + 1)].join("/"),
        level: levels[from + i],
        ...(i === parts.length - 1 && model !== "" ? { model } : {}),
      }),
    );
    const known = new Set(props.places.map((one) => one.path));
    props.onDone(entries.filter((entry) => !known.has(entry.path)));
  };
  return (
    <form className="new-equipment" onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && props.onCancel()}>
      <Field label={t("newEquipment.below")}>
        {(id) => (
          <select id={id} className="input" value={parent} onChange={(event) => setParent(event.target.value)}>
            <option value="">{t("level.enterprise")}</option>
            {props.places
              .filter((one) => one.level !== "workUnit")
              .map((one) => (
                <option key={one.path}>{one.path}</option>
              ))}
          </select>
        )}
      </Field>
      <TextField
        label={t("tree.name")}
        hint={t("newEquipment.hint")}
        fault={name === "" ? null : fault}
        value={name}
        onChange={setName}
        placeholder="Hall 3/Press 12"
        autoFocus
      />
      <Field label={t("tree.level")}>
        {(id) => (
          <select id={id} className="input" value={chosen} onChange={(event) => setLevel(event.target.value)}>
            {levels.map((one) => (
              <option key={one} value={one}>
                {t(`level.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t("newEquipment.model")}>
        {(id) => (
          <select id={id} className="input" value={model} onChange={(event) => setModel(event.target.value)}>
            <option value="">{t("newEquipment.noModel")}</option>
            {props.models.map((one) => (
              <option key={modelReference(one)}>{modelReference(one)}</option>
            ))}
          </select>
        )}
      </Field>
      <div className="form-buttons">
        <Button kind="main" type="submit" disabled={name.trim() === "" || fault !== null}>
          {t("tree.createButton")}
        </Button>
        <Button kind="quiet" onClick={props.onCancel}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}
