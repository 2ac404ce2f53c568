import type { Recorded, ShiftCalendar } from "@lineshaft/contract/api";
import { type ReactNode, useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { saveItem } from "../master-data/store.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import { CalendarEffect } from "./effect.tsx";
import { movedDefinition, type Scope, withShift } from "./model.ts";
import type { Moving } from "./weeks.tsx";

/** A change of a calendar with its effect, before it is saved. */
export function ChangeCalendar(props: {
  base: Recorded<ShiftCalendar>;
  after: ShiftCalendar;
  title: string;
  children?: ReactNode;
  onClose(saved: boolean): void;
}) {
  const { base, after } = props;
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const { error: refused } = await saveItem("calendar", base.id, after, base.revision);
    setBusy(false);
    setError(refused);
    if (refused !== null) return;
    note(t("masterData.saved", { id: base.id }));
    props.onClose(true);
  };
  return (
    <Dialog title={props.title} closeLabel={t("close")} onClose={() => props.onClose(false)} wide>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {props.children}
        <CalendarEffect before={base.item} after={after} />
        {error !== null && (
          <ProblemView error={error}>
            {isCode(error, "revision_conflict") ? <p>{t("masterData.conflict")}</p> : undefined}
          </ProblemView>
        )}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={busy}>
            {busy ? t("change.applying") : t("save")}
          </Button>
          <Button kind="quiet" onClick={() => props.onClose(false)}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Where a shift or break was dropped: on this day, or from always to always. */
export function MoveDialog({
  base,
  moving,
  onClose,
}: {
  base: Recorded<ShiftCalendar>;
  moving: Moving;
  onClose(saved: boolean): void;
}) {
  const { shift, part, minutes } = moving;
  const [scope, setScope] = useState<Scope>("day");
  const definition = base.item.shifts.find(({ name }) => name === shift.name);
  if (definition === undefined) return null;
  const day = shift.productionDay;
  const after = withShift(base.item, shift.name, movedDefinition(definition, part, minutes), scope, day);
  const by = `${minutes > 0 ? "+" : "−"}${Math.abs(minutes)} min`;
  return (
    <ChangeCalendar
      base={base}
      after={after}
      title={t(`calendar.moved.${part.kind}`, { name: shift.name, by })}
      onClose={onClose}
    >
      <ScopeChoice scope={scope} day={day} onChange={setScope} />
    </ChangeCalendar>
  );
}

export function ScopeChoice(props: { scope: Scope; day: string; onChange(scope: Scope): void }) {
  return (
    <fieldset className="choices">
      <legend className="unseen">{t("calendar.scope")}</legend>
      {(["day", "always"] as const).map((one) => (
        <label key={one} className="check-line">
          <input type="radio" name="scope" checked={props.scope === one} onChange={() => props.onChange(one)} />
          {t(`calendar.scope.${one}`, { day: props.day })}
        </label>
      ))}
    </fieldset>
  );
}
