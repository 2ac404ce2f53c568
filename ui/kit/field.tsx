import { type InputHTMLAttributes, type ReactNode, useEffect, useId, useRef, useState } from "react";

export function Field(props: {
  label: string;
  hint?: ReactNode;
  fault?: string | null;
  children(id: string): ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      {props.children(id)}
      {props.fault ? (
        <p className="field-fault" role="alert">
          {props.fault}
        </p>
      ) : (
        props.hint !== undefined && <p className="field-hint">{props.hint}</p>
      )}
    </div>
  );
}

export function TextField(
  props: Omit<InputHTMLAttributes<HTMLInputElement>, "onChange"> & {
    label: string;
    hint?: ReactNode;
    fault?: string | null;
    value: string;
    onChange(value: string): void;
  },
) {
  const { label, hint, fault, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} fault={fault ?? null}>
      {(id) => (
        <input
          id={id}
          className="input"
          autoComplete="off"
          spellCheck={false}
          {...rest}
          onChange={(e) => onChange(e.target.value)}
        />
      )}
    </Field>
  );
}

/** Text that is edited where it stands: Enter saves, Escape and leaving unchanged do nothing. */
export function InlineEdit(props: {
  label: string;
  value: string;
  placeholder?: string;
  onSave(value: string): void;
  onCancel(): void;
}) {
  const [text, setText] = useState(props.value);
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const finish = (save: boolean): void => {
    if (done.current) return;
    done.current = true;
    if (save && text.trim() !== props.value) props.onSave(text.trim());
    else props.onCancel();
  };
  return (
    <input
      ref={input}
      className="input inline-edit"
      aria-label={props.label}
      placeholder={props.placeholder}
      value={text}
      maxLength={512}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => finish(true)}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") finish(true);
        if (event.key === "Escape") finish(false);
      }}
    />
  );
}
