import { type ReactNode, useSyncExternalStore } from "react";
import { Button, Toast } from "../kit/index.ts";
import { t } from "./i18n.ts";
import { ProblemView } from "./problem.tsx";

interface Note {
  id: number;
  kind: "note" | "fault";
  body: ReactNode;
}

/** At most so many at once; the oldest make room. */
const notesMax = 4;
const noteMs = 5_000;
let notes: readonly Note[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Note[]): void {
  notes = next;
  for (const listener of listeners) listener();
}

export function dismiss(id: number): void {
  set(notes.filter((note) => note.id !== id));
}

/** Says something for a few seconds. */
export function note(body: ReactNode): void {
  const id = nextId++;
  set([...notes.slice(1 - notesMax), { id, kind: "note", body }]);
  window.setTimeout(() => dismiss(id), noteMs);
}

/** Says what failed until it is dismissed, with a next step where there is one. */
export function fault(error: unknown, headline: string, retry?: { label: string; run(): void }): void {
  const id = nextId++;
  const body = (
    <>
      <p className="toast-headline">{headline}</p>
      <ProblemView error={error}>
        {retry === undefined ? undefined : (
          <Button
            onClick={() => {
              dismiss(id);
              retry.run();
            }}
          >
            {retry.label}
          </Button>
        )}
      </ProblemView>
    </>
  );
  set([...notes.slice(1 - notesMax), { id, kind: "fault", body }]);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
  return (
    <div className="toasts">
      {shown.map(({ id, kind, body }) => (
        <Toast key={id} kind={kind} dismissLabel={t("dismiss")} onDismiss={() => dismiss(id)}>
          {body}
        </Toast>
      ))}
    </div>
  );
}
