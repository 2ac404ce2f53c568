import { type ReactNode, useState } from "react";
import { Button } from "./button.tsx";

/** Something went wrong, in two layers: a plain sentence with the next step, then the technical line that can be copied. */
export function ProblemNotice(props: {
  title: string;
  action: string;
  technical: string;
  labels: { details: string; copy: string; copied: string };
  children?: ReactNode;
}) {
  return (
    <div className="problem" role="alert">
      <p className="problem-title">{props.title}</p>
      <p className="problem-action">{props.action}</p>
      {props.children !== undefined && <div className="problem-buttons">{props.children}</div>}
      <details className="problem-technical">
        <summary>{props.labels.details}</summary>
        <CopyBlock text={props.technical} labels={props.labels} />
      </details>
    </div>
  );
}

/** Text to copy, e.g. a command. */
export function CopyBlock(props: {
  text: string;
  labels: { copy: string; copied: string };
  label?: string;
  /** Only the icon on the button, for narrow places. */
  narrow?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void copyText(props.text).then((done) => {
      setCopied(done);
      window.setTimeout(() => setCopied(false), 2000);
    });
  };
  return (
    <div className="copy-block">
      {/* biome-ignore lint/a11y/useSemanticElements: a region of text, no fieldset */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too */}
      <div role="group" aria-label={props.label ?? props.labels.copy} tabIndex={0} className="copy-text">
        <pre>{props.text}</pre>
      </div>
      {props.narrow && !copied ? (
        <Button kind="quiet" icon="copy" aria-label={props.labels.copy} title={props.labels.copy} onClick={copy} />
      ) : (
        <Button kind="quiet" icon="copy" onClick={copy}>
          {copied ? props.labels.copied : props.labels.copy}
        </Button>
      )}
    </div>
  );
}

/** To the clipboard, also on plain http where the modern interface is not given. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** A page or list with nothing in it: what this is, and the one thing to begin with. */
export function EmptyState(props: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

/** A few short words about what just happened; they leave by themselves unless they ask something. */
export function Toast(props: { kind: "note" | "fault"; children: ReactNode; dismissLabel: string; onDismiss(): void }) {
  return (
    <div className={`toast toast-${props.kind}`} role={props.kind === "fault" ? "alert" : "status"}>
      <div className="toast-body">{props.children}</div>
      <Button kind="quiet" icon="close" aria-label={props.dismissLabel} onClick={props.onDismiss} />
    </div>
  );
}
