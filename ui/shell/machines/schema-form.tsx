import { useId, useState } from "react";
import { Button, Field } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import {
  choicesOf,
  discriminatorOf,
  type FieldEntry,
  type FieldFault,
  faultOf,
  fieldsOf,
  type Schema,
  shapeOf,
  variantOf,
  withField,
} from "./schema.ts";
import { fieldHint, fieldLabel } from "./words.ts";

type Values = Record<string, unknown>;
interface FormProps {
  schema: Schema;
  value: Values;
  onChange(value: Values): void;
  /** Faults of untouched fields are not shown before somebody wanted to go on. */
  strict: boolean;
}

/** A form from a JSON Schema: what must be given and what people look for first, the rest folded away. Only what differs from the defaults is kept. */
export function SchemaForm(props: FormProps) {
  const { first, more } = fieldsOf(props.schema);
  const changed = more.filter(({ name }) => name in props.value).length;
  const one = (entry: FieldEntry) => (
    <FormField
      key={entry.name}
      entry={entry}
      value={props.value[entry.name]}
      strict={props.strict}
      onChange={(next) => props.onChange(withField(props.value, entry.name, next))}
    />
  );
  return (
    <div className="schema-form">
      {first.map(one)}
      {more.length > 0 &&
        (first.length === 0 ? (
          more.map(one)
        ) : (
          <details className="more-settings">
            <summary>
              {t("form.more", { n: more.length })}
              {changed > 0 && <span className="soft"> {t("form.moreChanged", { n: changed })}</span>}
            </summary>
            <div className="schema-form">{more.map(one)}</div>
          </details>
        ))}
    </div>
  );
}

interface FieldProps {
  entry: FieldEntry;
  value: unknown;
  strict: boolean;
  onChange(value: unknown): void;
}

function FormField(props: FieldProps) {
  switch (shapeOf(props.entry.schema)) {
    case "choice":
      return <ChoiceField {...props} />;
    case "yesNo":
      return <YesNoField {...props} />;
    case "secret":
      return <SecretField {...props} />;
    case "group":
      return <GroupField {...props} />;
    case "variants":
      return <VariantsField {...props} />;
    case "texts":
      return <TextsField {...props} />;
    case "list":
      return <ListField {...props} />;
    default:
      return <PlainField {...props} />;
  }
}

function faultText(fault: FieldFault | null): string | null {
  if (fault === null) return null;
  return "bound" in fault ? t(`form.${fault.code}`, { n: fault.bound }) : t(`form.${fault.code}`);
}

/** The description, and the default that holds while nothing is said. */
function hintOf({ schema }: FieldEntry): string {
  const held = schema.default;
  const told = typeof held === "number" ? fmt.number(held) : typeof held === "string" && held !== "" ? held : null;
  return [fieldHint(schema), told === null ? "" : t("form.default", { value: told })].join(" ").trim();
}

function PlainField({ entry, value, strict, onChange }: FieldProps) {
  const { schema, required } = entry;
  const [touched, setTouched] = useState(false);
  const shape = shapeOf(schema);
  const { text, unit } = fieldLabel(entry.name);
  const fault = touched || strict ? faultOf(schema, value, required) : null;
  const shared = {
    className: "input",
    "aria-required": required,
    placeholder: schema.default === undefined ? undefined : String(schema.default),
    onBlur: () => setTouched(true),
  };
  return (
    <Field label={required ? t("form.required", { label: text }) : text} hint={hintOf(entry)} fault={faultText(fault)}>
      {(id) =>
        shape === "longText" ? (
          <textarea
            id={id}
            {...shared}
            className="input mono"
            rows={4}
            spellCheck={false}
            value={typeof value === "string" ? value : ""}
            onChange={(event) => onChange(event.target.value)}
          />
        ) : shape === "number" ? (
          <span className="input-with-unit">
            <input
              id={id}
              {...shared}
              type="number"
              step={schema.type === "integer" ? 1 : "any"}
              min={schema.minimum}
              max={schema.maximum}
              value={typeof value === "number" ? value : ""}
              onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))}
            />
            {unit !== null && <span className="unit">{unit}</span>}
          </span>
        ) : (
          <input
            id={id}
            {...shared}
            autoComplete="off"
            spellCheck={false}
            value={typeof value === "string" ? value : ""}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

const secretName = (value: unknown): string =>
  typeof value === "string" ? (/^\$\{secret:(.*)\}$/.exec(value)?.[1] ?? value) : "";

/** The name of a secret; the secret itself never passes through here. */
function SecretField({ entry, value, strict, onChange }: FieldProps) {
  const name = secretName(value);
  const fault = strict && entry.required && name === "" ? t("form.missing") : null;
  return (
    <Field
      label={fieldLabel(entry.name).text}
      hint={
        <>
          {fieldHint(entry.schema)} {t("form.secretHint", { name: name === "" ? "<name>" : name })}
        </>
      }
      fault={fault}
    >
      {(id) => (
        <span className="input-with-unit">
          <span className="unit">{t("form.secret")}</span>
          <input
            id={id}
            className="input mono"
            autoComplete="off"
            spellCheck={false}
            placeholder="press-12-password"
            value={name}
            onChange={(event) => {
              const next = event.target.value.trim();
              onChange(next === "" ? undefined : `\${secret:${next}}`);
            }}
          />
        </span>
      )}
    </Field>
  );
}

function ChoiceField({ entry, value, onChange }: FieldProps) {
  const choices = choicesOf(entry.schema) ?? [];
  const held = value ?? entry.schema.default;
  return (
    <Field label={fieldLabel(entry.name).text} hint={fieldHint(entry.schema)}>
      {(id) => (
        <select
          id={id}
          className="input"
          value={held === undefined ? "" : String(held)}
          onChange={(event) => {
            const next = choices.find((choice) => String(choice) === event.target.value);
            onChange(next === entry.schema.default ? undefined : next);
          }}
        >
          {held === undefined && <option value="">{t("form.notChosen")}</option>}
          {choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function YesNoField({ entry, value, onChange }: FieldProps) {
  const id = useId();
  const held = (value ?? entry.schema.default ?? false) === true;
  return (
    <div className="field field-check">
      <input
        id={id}
        type="checkbox"
        checked={held}
        onChange={(event) => onChange(event.target.checked === entry.schema.default ? undefined : event.target.checked)}
      />
      <label htmlFor={id}>{fieldLabel(entry.name).text}</label>
      <p className="field-hint">{fieldHint(entry.schema)}</p>
    </div>
  );
}

function GroupField({ entry, value, strict, onChange }: FieldProps) {
  return (
    <fieldset className="form-group">
      <legend>{fieldLabel(entry.name).text}</legend>
      <p className="field-hint">{fieldHint(entry.schema)}</p>
      <SchemaForm
        schema={entry.schema}
        value={(value ?? {}) as Values}
        strict={strict}
        onChange={(next) => onChange(Object.keys(next).length === 0 && !entry.required ? undefined : next)}
      />
    </fieldset>
  );
}

function VariantsField({ entry, value, strict, onChange }: FieldProps) {
  const variants = entry.schema.anyOf ?? [];
  const key = discriminatorOf(variants);
  const held = (value ?? entry.schema.default ?? {}) as Values;
  const variant = variantOf(entry.schema, held);
  if (key === null) return <p className="field-hint">{t("form.unknownShape", { name: entry.name })}</p>;
  return (
    <fieldset className="form-group">
      <legend>{fieldLabel(entry.name).text}</legend>
      <Field label={fieldLabel(key).text} hint={fieldHint(entry.schema)}>
        {(id) => (
          <select
            id={id}
            className="input"
            value={String(held[key] ?? "")}
            onChange={(event) => onChange({ [key]: event.target.value })}
          >
            {variants.map((one) => {
              const name = String(one.properties?.[key]?.const);
              return (
                <option key={name} value={name}>
                  {fieldLabel(name).text}
                </option>
              );
            })}
          </select>
        )}
      </Field>
      {variant !== null && (
        <SchemaForm
          schema={variant}
          value={held}
          strict={strict}
          onChange={(next) => onChange({ [key]: held[key], ...next })}
        />
      )}
    </fieldset>
  );
}

/** Several texts, one a line. */
function TextsField({ entry, value, strict, onChange }: FieldProps) {
  const held = Array.isArray(value) ? (value as string[]) : [];
  const [text, setText] = useState(held.join("\n"));
  const wrong = held.map((one) => faultOf(entry.schema.items ?? {}, one, true)).find((fault) => fault !== null);
  return (
    <Field
      label={fieldLabel(entry.name).text}
      hint={`${fieldHint(entry.schema)} ${t("form.onePerLine")}`}
      fault={strict ? faultText(wrong ?? null) : null}
    >
      {(id) => (
        <textarea
          id={id}
          className="input mono"
          rows={Math.min(6, Math.max(2, held.length + 1))}
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            onChange(
              event.target.value
                .split("\n")
                .map((line) => line.trim())
                .filter((line) => line !== ""),
            );
          }}
        />
      )}
    </Field>
  );
}

function ListField({ entry, value, strict, onChange }: FieldProps) {
  const held = Array.isArray(value) ? (value as Values[]) : [];
  const { items = {}, minItems = 0, maxItems = Infinity } = entry.schema;
  // One that must be there is there from the start.
  const shown =
    held.length < minItems ? [...held, ...Array.from({ length: minItems - held.length }, () => ({}))] : held;
  const name = fieldLabel(entry.name).text;
  return (
    <fieldset className="form-group">
      <legend>{name}</legend>
      <p className="field-hint">{fieldHint(entry.schema)}</p>
      {shown.map((one, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places in a list have no other name
        <div key={i} className="form-item">
          <SchemaForm
            schema={items}
            value={one}
            strict={strict}
            onChange={(next) => onChange(shown.map((old, at) => (at === i ? next : old)))}
          />
          {shown.length > minItems && (
            <Button
              kind="quiet"
              icon="close"
              aria-label={t("form.removeItem", { name, n: i + 1 })}
              onClick={() => onChange(shown.filter((_, at) => at !== i))}
            />
          )}
        </div>
      ))}
      {shown.length < maxItems && (
        <Button icon="plus" onClick={() => onChange([...shown, {}])}>
          {t("form.addItem", { name })}
        </Button>
      )}
    </fieldset>
  );
}
