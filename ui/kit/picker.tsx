import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

export interface Pick {
  id: string;
  label: ReactNode;
  note?: ReactNode;
  group?: string;
}

/** Type, see what fits, choose: the search palette, "assign to", "add tag". */
export function Picker(props: {
  label: string;
  placeholder: string;
  text: string;
  onText(text: string): void;
  picks: readonly Pick[];
  none: string;
  /** Stands beside the list while it is known to be incomplete. */
  busy?: string | null;
  onPick(id: string): void;
  onCancel?(): void;
  autoFocus?: boolean;
}) {
  const listId = useId();
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const index = Math.min(at, Math.max(0, props.picks.length - 1));
  useEffect(() => {
    if (props.autoFocus) input.current?.focus();
  }, [props.autoFocus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the active pick
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [index, props.picks]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setAt(Math.min(props.picks.length - 1, index + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, index - 1));
    else if (event.key === "Enter") {
      const pick = props.picks[index];
      if (pick !== undefined) props.onPick(pick.id);
    } else if (event.key === "Escape" && props.onCancel) props.onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  let group: string | undefined;
  return (
    <div className="picker">
      <input
        ref={input}
        className="input"
        role="combobox"
        aria-label={props.label}
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={props.picks.length > 0 ? `${listId}-${index}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={props.placeholder}
        value={props.text}
        onChange={(event) => {
          setAt(0);
          props.onText(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id={listId} className="picker-list" role="listbox" aria-label={props.label}>
        {props.picks.map((pick, i) => {
          const head = pick.group !== group && pick.group !== undefined ? pick.group : null;
          group = pick.group;
          return (
            <div key={pick.id} role="presentation">
              {head !== null && (
                <div className="picker-group" role="presentation">
                  {head}
                </div>
              )}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's */}
              {/* biome-ignore lint/a11y/useFocusableInteractive: focus is the input's */}
              <div
                id={`${listId}-${i}`}
                role="option"
                aria-selected={i === index}
                className="picker-option"
                onPointerMove={() => setAt(i)}
                onClick={() => props.onPick(pick.id)}
              >
                <span className="picker-label">{pick.label}</span>
                {pick.note !== undefined && <span className="picker-note">{pick.note}</span>}
              </div>
            </div>
          );
        })}
        {props.picks.length === 0 && <p className="picker-none">{props.none}</p>}
      </div>
      {props.busy && <p className="picker-busy">{props.busy}</p>}
    </div>
  );
}
