import type { OrderProgress, OrderRun } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, unitText } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentName, equipmentPath, rangeText } from "../master-data/effect-view.tsx";
import { HistoryDialog } from "../master-data/history-dialog.tsx";
import { removeWithUndo } from "../master-data/undo.tsx";
import { allowed } from "../session.ts";
import { fault } from "../toasts.tsx";
import { useNow } from "../use.ts";
import { BookDialog, type Booking } from "./book-dialog.tsx";
import { type Operation, type OrderView, type RecordedOrder, stateOf, toldOf } from "./model.ts";

/** One order: how far it is, where it runs, and what can be done with it. */
export function OrderInspector(props: { view: OrderView; waiting: boolean; onClose(): void; onEdit(): void }) {
  const { order, progress } = props.view;
  const { item } = order;
  const now = useNow();
  const [booking, setBooking] = useState<Booking | null>(null);
  const [history, setHistory] = useState(false);
  const [removing, setRemoving] = useState(false);
  const state = stateOf(item, now, progress);
  const may = allowed("book");
  // A plan that was taken up has said what it had to say.
  const aheadAt = ({ id, executions, planned = [] }: Operation) =>
    planned.filter(
      ({ equipmentId }) => ![...executions, ...toldAt(id)].some((each) => each.equipmentId === equipmentId),
    );
  const toldAt = (operation: string): OrderRun[] => toldOf(progress).filter((run) => run.operation === operation);
  return (
    <aside className="inspector" aria-label={t("order.named", { id: order.id })}>
      <header className="panel-head">
        <h2>{order.id}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={props.onClose} />
      </header>
      <p>
        <span className={`order-word order-${state}`}>{t(`order.state.${state}`)}</span>
        {item.material !== null && <span className="soft"> {item.material}</span>}
      </p>
      <ProgressPanel order={order} progress={progress} waiting={props.waiting} />
      {may && (
        <div className="form-buttons">
          {state !== "finished" && (
            <Button icon="play" kind={state === "running" ? "plain" : "main"} onClick={() => setBooking("start")}>
              {t(state === "interrupted" ? "order.do.resume" : "order.do.start")}
            </Button>
          )}
          {state === "running" && (
            <Button icon="pause" onClick={() => setBooking("interrupt")}>
              {t("order.do.interrupt")}
            </Button>
          )}
          {(state === "running" || state === "interrupted") && (
            <Button icon="check" onClick={() => setBooking("finish")}>
              {t("order.do.finish")}
            </Button>
          )}
        </div>
      )}
      <section aria-label={t("order.operations")}>
        {item.operations.length === 0 && toldOf(progress).length === 0 && (
          <p className="soft">{t("order.noOperations")}</p>
        )}
        <ToldRuns
          runs={toldOf(progress).filter(({ operation }) => !item.operations.some(({ id }) => id === operation))}
        />
        {item.operations.map((operation) => (
          <div key={operation.id} className="inspected-operation">
            <h3>
              {operation.id} <span className="soft">{operation.name}</span>
            </h3>
            {operation.executions.length === 0 &&
              (operation.planned ?? []).length === 0 &&
              toldAt(operation.id).length === 0 && <p className="soft">{t("order.noMachine")}</p>}
            <ToldRuns runs={toldAt(operation.id)} />
            <ul>
              {operation.executions.map((one) => (
                <li key={`${one.equipmentId} ${one.fromUs}`} className={one.fromUs > now ? "soft" : ""}>
                  <span title={equipmentPath(one.equipmentId)}>{equipmentName(one.equipmentId)}</span>
                  <span className="soft nowrap">{rangeText(one.fromUs, one.toUs)}</span>
                </li>
              ))}
              {aheadAt(operation).map((one) => (
                <li key={`planned ${one.equipmentId} ${one.fromUs}`} className="soft">
                  <span title={equipmentPath(one.equipmentId)}>
                    {equipmentName(one.equipmentId)} · {t("order.state.planned")}
                  </span>
                  <span className="nowrap">{rangeText(one.fromUs, one.toUs)}</span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </section>
      <div className="form-buttons">
        {may && (
          <Button icon="pencil" onClick={props.onEdit}>
            {t("order.editButton")}
          </Button>
        )}
        <Button icon="restart" onClick={() => setHistory(true)}>
          {t("history.button")}
        </Button>
        {may &&
          (removing ? (
            <Button
              kind="danger"
              onClick={() => {
                setRemoving(false);
                void removeWithUndo("order", order.id, order.revision).then(
                  ({ error }) => error !== null && fault(error, t("masterData.removeFailed", { id: order.id })),
                );
              }}
            >
              {t("order.removeSure")}
            </Button>
          ) : (
            <Button kind="quiet" icon="bin" onClick={() => setRemoving(true)}>
              {t("order.remove")}
            </Button>
          ))}
      </div>
      <p className="footnote">
        {t("masterData.changedAt", { time: fmt.dateTime(order.changedUs), revision: order.revision })}
      </p>
      {booking !== null && <BookDialog order={order} booking={booking} onClose={() => setBooking(null)} />}
      {history && <HistoryDialog kind="order" id={order.id} onClose={() => setHistory(false)} />}
    </aside>
  );
}

/** What the machine itself says it worked at, the newest first. */
function ToldRuns({ runs }: { runs: readonly OrderRun[] }) {
  if (runs.length === 0) return null;
  return (
    <ul>
      {[...runs].reverse().map((run) => (
        <li key={`${run.equipmentId} ${run.fromUs}`}>
          <span>
            <span title={equipmentPath(run.equipmentId)}>{equipmentName(run.equipmentId)}</span>
            <span className="run-told">{t("order.told")}</span>
            {run.unheard && run.toUs !== null && (
              <span className="run-unheard">{t("order.unheard", { time: fmt.part(run.toUs, "min") })}</span>
            )}
          </span>
          <span className="soft nowrap">{rangeText(run.fromUs, run.toUs)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Made of ordered, and what else a planner asks of it; hatched where nothing counts. */
function ProgressPanel(props: { order: RecordedOrder; progress: OrderProgress | null; waiting: boolean }) {
  const { item } = props.order;
  const { made = null, remaining = null, sinceUs = null, partly = false, runs = [] } = props.progress ?? {};
  const { expectedEndUs = null, expectedBy = null } = props.progress ?? {};
  const now = useNow();
  const yielded = made === null ? null : made.good + made.rework;
  const share = yielded === null || item.quantity <= 0 ? null : yielded / item.quantity;
  const unit = unitText(item.unit);
  const going = runs.filter(({ fromUs, toUs }) => fromUs <= now && (toUs === null || toUs > now));
  const where = [...new Set(going.map(({ equipmentId }) => equipmentName(equipmentId)))];
  const amount = (n: number) => (
    <>
      {fmt.number(n)} <span className="unit">{unit}</span>
    </>
  );
  return (
    <div className="order-progress">
      <div className={`meter ${share === null ? "unknown" : ""}`} role="img" aria-label={t("order.progress")}>
        {share !== null && <i style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />}
      </div>
      <p>
        {made === null ? (
          <span className="soft">{t(props.waiting ? "order.progressWait" : "order.progressUnknown")}</span>
        ) : (
          <>
            <b>{fmt.number(made.good)}</b> <span className="soft">{t(partly ? "order.atLeastOf" : "order.of")}</span>
          </>
        )}{" "}
        <b>{fmt.number(item.quantity)}</b> <span className="unit">{unit}</span>
        {share !== null && <span className="soft"> · {fmt.percent(share)}</span>}
      </p>
      {made !== null && (
        <dl className="order-figures">
          <dt>{t("order.scrap")}</dt>
          <dd>{amount(made.scrap)}</dd>
          <dt>{t("order.rework")}</dt>
          <dd>{amount(made.rework)}</dd>
          {remaining !== null && (
            <>
              <dt>{t("order.remaining")}</dt>
              <dd>{amount(remaining)}</dd>
            </>
          )}
          {sinceUs !== null && (
            <>
              <dt>{t("order.runsSince")}</dt>
              <dd>
                {fmt.part(sinceUs, "day")} {fmt.part(sinceUs, "min")}
                <span className="soft"> · {where.join(", ")}</span>
              </dd>
            </>
          )}
          {expectedEndUs !== null && (
            <>
              <dt>{t("order.expectedEnd")}</dt>
              <dd>
                ≈ {fmt.part(expectedEndUs, "day")} {fmt.part(expectedEndUs, "min")}
                <span className="soft"> · {t(expectedBy === "pace" ? "order.byPace" : "order.byIdeal")}</span>
              </dd>
            </>
          )}
        </dl>
      )}
    </div>
  );
}
