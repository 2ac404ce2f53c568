import { nameFault } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog, TextField } from "../../kit/index.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { touchedByOrder } from "../master-data/effect.ts";
import { EffectView } from "../master-data/effect-view.tsx";
import { saveItem, useMasterData } from "../master-data/store.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { note } from "../toasts.tsx";
import { EquipmentOptions, useWorkUnits } from "./fields.tsx";
import { nextOperationId, type RecordedOrder } from "./model.ts";
import { formOf, nextKey, type OperationForm, type OrderForm, orderOf, type PlaceForm } from "./order-form.ts";

/** Everything about one order; what saving it touches stands below while it is typed. */
export function OrderDialog({ order, onClose }: { order: RecordedOrder | null; onClose(id: string | null): void }) {
  const { items } = useMasterData("order");
  const materials = useMasterData("material");
  const workUnits = useWorkUnits();
  // The revision that the form was filled from: what came since is a conflict, and told as one.
  const [base, setBase] = useState(order);
  const [form, setForm] = useState(() => formOf(order));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const taken = base === null && items.some(({ id }) => id === form.id.trim());
  const after = orderOf(form, base?.item ?? null, nowUs());
  const set = (part: Partial<OrderForm>): void => setForm((old) => ({ ...old, ...part }));
  const setOperation = (key: number, part: Partial<OperationForm> | null): void =>
    setForm((old) => ({
      ...old,
      operations: old.operations.flatMap((one) =>
        one.key !== key ? [one] : part === null ? [] : [{ ...one, ...part }],
      ),
    }));
  const setExecution = (of: OperationForm, key: number, part: Partial<PlaceForm> | null): void =>
    setOperation(of.key, {
      places: of.places.flatMap((one) => (one.key !== key ? [one] : part === null ? [] : [{ ...one, ...part }])),
    });
  const addOperation = (): void =>
    set({
      operations: [
        ...form.operations,
        { key: nextKey(), id: nextOperationId(form.operations), name: "", places: [], finished: undefined },
      ],
    });
  const addExecution = (of: OperationForm): void => {
    const last = of.places.at(-1);
    const row = {
      key: nextKey(),
      was: null,
      plan: null,
      equipmentId: last?.equipmentId ?? workUnits[0]?.id ?? 0,
      from: last?.to ?? "",
      to: "",
      share: "",
    };
    setOperation(of.key, { places: [...of.places, row] });
  };

  const save = async (): Promise<void> => {
    if (after === null) return;
    setBusy(true);
    const id = form.id.trim();
    const { error: refused } = await saveItem("order", id, after, base?.revision ?? null);
    setBusy(false);
    setError(refused);
    if (refused !== null) return;
    note(t("order.saved", { id }));
    onClose(id);
  };
  const newer =
    base === null ? undefined : items.find(({ id, revision }) => id === base.id && revision > base.revision);
  const fault = (path: string): string | null => (path === "id" && taken ? t("order.taken") : null);
  return (
    <Dialog
      title={base === null ? t("order.new") : t("order.edit", { id: base.id })}
      closeLabel={t("close")}
      onClose={() => onClose(null)}
      className="dialog-broad"
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="form-grid">
          <TextField
            label={t("order.id")}
            value={form.id}
            onChange={(id) => set({ id })}
            disabled={base !== null}
            required
            maxLength={128}
            fault={fault("id") ?? (form.id !== "" && nameFault(form.id.trim()) !== null ? t("name.invalid") : null)}
          />
          <TextField
            label={t("order.material")}
            value={form.material}
            onChange={(material) => set({ material })}
            list="materials"
            maxLength={128}
          />
          <TextField
            label={t("order.quantity")}
            value={form.quantity}
            onChange={(quantity) => set({ quantity })}
            inputMode="decimal"
            required
          />
          <TextField
            label={t("order.unit")}
            value={form.unit}
            onChange={(unit) => set({ unit })}
            required
            maxLength={64}
          />
          <datalist id="materials">
            {materials.items.slice(0, 500).map(({ id, item }) => (
              <option key={id} value={id}>
                {item.name ?? ""}
              </option>
            ))}
          </datalist>
        </div>
        <div className="operations">
          {form.operations.map((of) => (
            <fieldset key={of.key} className="operation">
              <legend className="unseen">{t("order.operationNamed", { id: of.id })}</legend>
              <div className="operation-head">
                <input
                  className="input short"
                  aria-label={t("order.operationId")}
                  value={of.id}
                  maxLength={64}
                  required
                  onChange={(event) => setOperation(of.key, { id: event.target.value })}
                />
                <input
                  className="input"
                  aria-label={t("order.operationName")}
                  placeholder={t("order.operationName")}
                  value={of.name}
                  maxLength={256}
                  onChange={(event) => setOperation(of.key, { name: event.target.value })}
                />
                <Button icon="plus" onClick={() => addExecution(of)}>
                  {t("order.addMachine")}
                </Button>
                <Button
                  kind="quiet"
                  icon="bin"
                  aria-label={t("order.removeOperation", { id: of.id })}
                  title={t("order.removeOperation", { id: of.id })}
                  onClick={() => setOperation(of.key, null)}
                />
              </div>
              {of.places.length > 0 && (
                <table className="plain executions">
                  <thead>
                    <tr>
                      <th>{t("order.machine")}</th>
                      <th>{t("order.from")}</th>
                      <th>{t("order.to")}</th>
                      <th title={t("order.shareHint")}>{t("order.share")}</th>
                      <th>
                        <span className="unseen">{t("order.removeMachine")}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {of.places.map((one, i) => (
                      <tr key={one.key}>
                        <td>
                          <select
                            className="input"
                            aria-label={t("order.machineOf", { id: of.id, n: i + 1 })}
                            value={one.equipmentId}
                            onChange={(event) => setExecution(of, one.key, { equipmentId: Number(event.target.value) })}
                          >
                            <EquipmentOptions items={workUnits} />
                          </select>
                          {one.plan === true && <span className="soft"> {t("order.state.planned")}</span>}
                        </td>
                        <td>
                          <input
                            type="datetime-local"
                            step="1"
                            required
                            className="input"
                            aria-label={t("order.fromOf", { id: of.id, n: i + 1 })}
                            value={one.from}
                            onChange={(event) => setExecution(of, one.key, { from: event.target.value })}
                          />
                        </td>
                        <td>
                          <input
                            type="datetime-local"
                            step="1"
                            className="input"
                            aria-label={t("order.toOf", { id: of.id, n: i + 1 })}
                            value={one.to}
                            onChange={(event) => setExecution(of, one.key, { to: event.target.value })}
                          />
                        </td>
                        <td>
                          <input
                            className="input short"
                            inputMode="decimal"
                            aria-label={t("order.shareOf", { id: of.id, n: i + 1 })}
                            placeholder="1"
                            value={one.share}
                            onChange={(event) => setExecution(of, one.key, { share: event.target.value })}
                          />
                        </td>
                        <td className="right">
                          <Button
                            kind="quiet"
                            icon="close"
                            aria-label={t("order.removeMachine")}
                            onClick={() => setExecution(of, one.key, null)}
                          />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </fieldset>
          ))}
          <Button icon="plus" onClick={addOperation}>
            {t("order.addOperation")}
          </Button>
        </div>
        {after !== null && <EffectView touched={touchedByOrder(base?.item ?? null, after)} />}
        {error !== null && (
          <ProblemView error={error}>
            {isCode(error, "revision_conflict") && newer !== undefined ? (
              <Button
                onClick={() => {
                  setBase(newer);
                  setForm(formOf(newer));
                  setError(null);
                }}
              >
                {t("masterData.takeTheirs")}
              </Button>
            ) : undefined}
          </ProblemView>
        )}
        <div className="form-buttons">
          <Button kind="main" type="submit" disabled={busy || after === null || taken || form.id.trim() === ""}>
            {busy ? t("change.applying") : t("save")}
          </Button>
          <Button kind="quiet" onClick={() => onClose(null)}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
