import { useState } from "react";
import { Field, TextField } from "../../kit/index.ts";
import { getDirectory, useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { changeDraft, type Draft } from "./draft.ts";
import { SchemaForm } from "./schema-form.tsx";
import type { StepProps } from "./wizard.tsx";

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Why the connection cannot be called so; null: it can. */
export function nameFaultOf({ name, editing }: Draft): "missing" | "characters" | "taken" | null {
  if (name === "") return "missing";
  if (!namePattern.test(name)) return "characters";
  if (editing === null && getDirectory().connectionByName.has(name)) return "taken";
  return null;
}

export function SettingsStep({ draft, kind, strict }: StepProps) {
  const { equipment } = useDirectory("connections");
  const [touched, setTouched] = useState(false);
  const fault = touched || strict ? nameFaultOf(draft) : null;
  return (
    <div className="settings">
      <TextField
        label={t("form.required", { label: t("settings.name") })}
        hint={t("settings.nameHint")}
        fault={fault === null ? null : t(`settings.${fault}`)}
        value={draft.name}
        disabled={draft.editing !== null}
        placeholder="press-12"
        maxLength={128}
        onBlur={() => setTouched(true)}
        onChange={(name) => changeDraft({ name: name.trim() })}
      />
      <Field label={t("settings.scope")} hint={t("settings.scopeHint")}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={draft.scope}
            onChange={(event) => changeDraft({ scope: event.target.value })}
          >
            <option value="">{t("settings.everybody")}</option>
            {equipment
              .filter(({ path }) => path !== "")
              .map(({ id: key, path }) => (
                <option key={key} value={path}>
                  {path}
                </option>
              ))}
          </select>
        )}
      </Field>
      <h3>{kind.title}</h3>
      <SchemaForm
        schema={kind.config}
        value={draft.config}
        strict={strict}
        onChange={(config) => changeDraft({ config })}
      />
    </div>
  );
}
