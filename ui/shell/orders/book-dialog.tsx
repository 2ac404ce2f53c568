import { useState } from "react";
import { Button, Dialog, Field } from "../../kit/index.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { touchedByOrder } from "../master-data/effect.ts";
import { EffectView, equipmentName, equipmentPath } from "../master-data/effect-view.tsx";
import { saveItem, saveTogether, useMasterData } from "../master-data/store.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import { localOfMicros, microsOf, useWorkUnits } from "./fields.tsx";
import { finished, interrupted, type Order, placedOf, type RecordedOrder, runsAt, started } from "./model.ts";

export type Booking = "start" | "interrupt" | "finish";
/** Bookings that come later than this are called late. */
const lateUs = 60_000_000;

/** Starts, interrupts or finishes an order, now or at a time that has been; what that touches is seen before. */
export function BookDialog(props: { order: RecordedOrder; booking: Booking; onClose(): void }) {
  const { order, booking, onClose } = props;
  const orders = useMasterData("order");
  const workUnits = useWorkUnits();
  const [opened] = useState(() => nowUs());
  const [when, setWhen] = useState(() => localOfMicros(opened));
  const [operation, setOperation] = useState(() =>
    Math.max(
      0,
      order.item.operations.findIndex(({ executions }) => executions.every(({ fromUs }) => fromUs > opened)),
    ),
  );
  const of = order.item.operations[operation];
  const planned = of?.executions.find(({ fromUs }) => fromUs > opened)?.equipmentId ?? of?.planned?.[0]?.equipmentId;
  const [chosen, setChosen] = useState<number | null>(null);
  const machine = chosen ?? planned ?? placedOf(order.item)[0]?.on.equipmentId ?? workUnits[0]?.id ?? null;
  const [endOthers, setEndOthers] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const at = when === localOfMicros(opened) ? opened : microsOf(when);
  const known = orders.items.find(({ id }) => id === order.id) ?? order;
  const running = orders.items.filter(
    ({ id, item }) =>
      id !== order.id && at !== null && placedOf(item).some(({ on }) => on.equipmentId === machine && runsAt(on, at)),
  );
  const withOperations: Order =
    known.item.operations.length > 0
      ? known.item
      : { ...known.item, operations: [{ id: "0010", name: null, executions: [] }] };
  const after =
    at === null
      ? null
      : booking === "start"
        ? machine === null
          ? null
          : started(withOperations, operation, machine, at)
        : booking === "interrupt"
          ? interrupted(known.item, at)
          : finished(known.item, at);
  const others =
    booking === "start" && endOthers && at !== null
      ? running.map((one) => ({ ...one, item: interrupted(one.item, at, machine) }))
      : [];
  const touched =
    after === null
      ? []
      : [
          ...touchedByOrder(known.item, after),
          ...others.flatMap((one) => touchedByOrder(running.find(({ id }) => id === one.id)?.item ?? null, one.item)),
        ];
  const nothing = after !== null && touched.length === 0 && booking !== "finish";
  const future = at !== null && at > nowUs() + lateUs;

  const save = async (): Promise<void> => {
    if (after === null) return;
    setBusy(true);
    const { error: refused } =
      others.length === 0
        ? await saveItem("order", order.id, after, known.revision)
        : await saveTogether("order", [{ id: order.id, item: after, revision: known.revision }, ...others]);
    setBusy(false);
    setError(refused);
    if (refused !== null) return;
    note(t(`order.done.${booking}`, { id: order.id }));
    onClose();
  };
  return (
    <Dialog title={t(`order.book.${booking}`, { id: order.id })} closeLabel={t("close")} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field
          label={t("order.when")}
          hint={
            at !== null && opened - at > lateUs
              ? t("order.late", { time: fmt.duration(opened - at) })
              : future
                ? t("order.future")
                : t("order.whenHint")
          }
          fault={at === null ? t("order.whenMissing") : null}
        >
          {(id) => (
            <input
              id={id}
              type="datetime-local"
              step="1"
              className="input"
              value={when}
              onChange={(event) => setWhen(event.target.value)}
            />
          )}
        </Field>
        {booking === "start" && (
          <>
            {order.item.operations.length > 1 && (
              <Field label={t("order.operation")}>
                {(id) => (
                  <select
                    id={id}
                    className="input"
                    value={operation}
                    onChange={(event) => setOperation(Number(event.target.value))}
                  >
                    {order.item.operations.map((one, i) => (
                      <option key={one.id} value={i}>
                        {one.id} {one.name ?? ""}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
            )}
            <Field label={t("order.machine")}>
              {(id) => (
                <select
                  id={id}
                  className="input"
                  value={machine ?? ""}
                  onChange={(event) => setChosen(Number(event.target.value))}
                >
                  {workUnits.map((one) => (
                    <option key={one.id} value={one.id}>
                      {one.path}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {running.length > 0 && machine !== null && (
              <label className="check-line" title={equipmentPath(machine)}>
                <input type="checkbox" checked={endOthers} onChange={(event) => setEndOthers(event.target.checked)} />
                {t("order.endOthers", { ids: running.map(({ id }) => id).join(", "), machine: equipmentName(machine) })}
              </label>
            )}
          </>
        )}
        {nothing ? <p className="soft">{t("order.nothingRuns")}</p> : <EffectView touched={touched} />}
        {error !== null && (
          <ProblemView error={error}>
            {isCode(error, "revision_conflict") ? <p>{t("masterData.conflict")}</p> : undefined}
          </ProblemView>
        )}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={busy || after === null || nothing}>
            {busy ? t("change.applying") : t(`order.do.${booking}`)}
          </Button>
          <Button kind="quiet" onClick={onClose}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
