import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "main" | "quiet" | "danger";
  icon?: IconName;
  children?: ReactNode;
}

export function Button({ kind = "plain", icon, children, className = "", ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={`button button-${kind} ${children === undefined ? "button-icon" : ""} ${className}`}
      {...rest}
    >
      {icon !== undefined && <Icon name={icon} size={16} />}
      {children}
    </button>
  );
}

export interface Choice<T extends string> {
  value: T;
  label: string;
}

/** A few exclusive choices side by side. */
export function Segments<T extends string>(props: {
  label: string;
  value: T | null;
  choices: readonly Choice<T>[];
  onChange(value: T): void;
}) {
  return (
    <fieldset className="segments">
      <legend className="unseen">{props.label}</legend>
      {props.choices.map(({ value, label }) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {label}
        </button>
      ))}
    </fieldset>
  );
}
