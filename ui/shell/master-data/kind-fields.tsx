import { useId } from "react";
import { Field } from "../../kit/index.ts";
import { Entry, type FieldProps, useFault } from "./entry.tsx";
import type { Draft, FieldEntry, GroupDraft, RowDraft } from "./fields.ts";
import { RowsField } from "./rows-field.tsx";
import { hintOf, labelOf } from "./words.ts";

/** The fields of a group, each as its type asks for it; lists take the whole width. */
export function GroupFields(props: {
  fields: readonly FieldEntry[];
  within: string;
  place: string;
  draft: GroupDraft;
  onChange(draft: GroupDraft): void;
}) {
  const { fields, within, place, draft, onChange } = props;
  const one = (entry: FieldEntry) => {
    const at = `${place}${entry.name}`;
    const change = (next: Draft): void => onChange({ ...draft, [entry.name]: next });
    const shared = { entry, within, place: at, draft: draft[entry.name], onChange: change };
    if (entry.type === "group")
      return (
        <fieldset key={entry.name} className="kind-group">
          <legend>{labelOf(within, entry.name)}</legend>
          <GroupFields
            fields={entry.fields}
            within={entry.name}
            place={`${at}.`}
            draft={draft[entry.name] as GroupDraft}
            onChange={change}
          />
        </fieldset>
      );
    if (entry.type === "list")
      return <RowsField key={entry.name} {...shared} rows={draft[entry.name] as readonly RowDraft[]} />;
    return <OneField key={entry.name} {...shared} />;
  };
  const wide = (entry: FieldEntry): boolean => entry.type === "group" || entry.type === "list";
  return (
    <>
      <div className="form-grid">{fields.filter((entry) => !wide(entry)).map(one)}</div>
      {fields.filter(wide).map(one)}
    </>
  );
}

function OneField(props: FieldProps) {
  const { entry, within, place } = props;
  const fault = useFault(entry, place);
  const label = labelOf(within, entry.name);
  const check = useId();
  if (entry.type === "yesNo")
    return (
      <div className="field">
        <span className="check-line">
          <input
            id={check}
            type="checkbox"
            checked={props.draft === true}
            onChange={(event) => props.onChange(event.target.checked)}
          />
          <label htmlFor={check}>{label}</label>
        </span>
      </div>
    );
  return (
    <Field label={label} hint={hintOf(within, entry.name)} fault={fault}>
      {(id) => <Entry {...props} id={id} />}
    </Field>
  );
}
