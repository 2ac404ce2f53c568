import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "./button.tsx";

/** A modal dialog on the platform's own element: focus is kept in, Escape closes, focus returns. */
export function Dialog(props: {
  title: string;
  closeLabel: string;
  onClose(): void;
  wide?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const close = useRef(props.onClose);
  close.current = props.onClose;
  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    dialog.showModal();
    // The browser would take the first thing that can be focused, which is the close button.
    dialog.querySelector<HTMLElement>("input, select, textarea")?.focus();
    const onCancel = (event: Event): void => {
      event.preventDefault();
      close.current();
    };
    // A click on the backdrop hits the dialog element itself, beyond its content.
    const onClick = (event: MouseEvent): void => {
      if (event.target === dialog) close.current();
    };
    dialog.addEventListener("cancel", onCancel);
    dialog.addEventListener("mousedown", onClick);
    return () => {
      dialog.removeEventListener("cancel", onCancel);
      dialog.removeEventListener("mousedown", onClick);
      dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog ${props.wide ? "dialog-wide" : ""} ${props.className ?? ""}`}
      aria-label={props.title}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2>{props.title}</h2>
          <Button kind="quiet" icon="close" aria-label={props.closeLabel} onClick={props.onClose} />
        </header>
        {props.children}
      </div>
    </dialog>
  );
}
