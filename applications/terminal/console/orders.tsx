import type { Work } from "@lineshaft/contract/api";
import type { PageContext } from "@lineshaft/ui/kit";
import type { Wanted } from "./order-sheets.tsx";
import type { Say } from "./texts.ts";

type Running = Work["running"][number];

interface OrderProps {
  work: Work;
  context: PageContext;
  t: Say;
}

/** UCUM's "1" is a plain number; a hand sees pieces. */
const withUnit = (n: number, unit: string, context: PageContext): string =>
  `${context.format.number(n, 1)}${unit === "1" ? "" : ` ${unit}`}`;

/** What runs, with how far it is, in figures that are read from the machine's other side. */
export function CurrentOrders(
  props: OrderProps & { onInterrupt(order: Running): void; onFinish(order: Running): void },
) {
  const { work, t } = props;
  return (
    <section className="current" aria-label={t("current")}>
      {work.running.length === 0 && (
        <div className="current-none">
          <h2>{t("current.none")}</h2>
          <p>{t("current.noneHint")}</p>
        </div>
      )}
      {work.running.map((order) => (
        <article key={`${order.order} ${order.operation}`} className="order">
          <header>
            <h2>{order.order}</h2>
            <p>
              {order.materialName ?? order.material ?? ""}
              <small>
                {[
                  order.name,
                  order.operation === "" ? null : t("operation", { operation: order.operation }),
                  order.by === "identifier" ? t("order.told") : null,
                ]
                  .filter((part) => part !== null)
                  .join(" · ")}
              </small>
            </p>
          </header>
          <Progress order={order} {...props} />
          <div className="order-buttons">
            <button type="button" className="touch" onClick={() => props.onInterrupt(order)}>
              {t("interrupt")}
            </button>
            <button type="button" className="touch" onClick={() => props.onFinish(order)}>
              {t("finish")}
            </button>
          </div>
        </article>
      ))}
    </section>
  );
}

function Progress({ order, context, t }: OrderProps & { order: Running }) {
  const { made, quantity, unit } = order;
  if (made === null && quantity === 0) return null;
  const good = made?.good ?? 0;
  const share = quantity > 0 ? Math.max(0, Math.min(1, good / quantity)) : 0;
  return (
    <div className="progress">
      <p>
        <strong>{made === null ? "–" : withUnit(good, unit, context)}</strong>
        <span>
          {t("good")} {quantity > 0 && t("of", { quantity: withUnit(quantity, unit, context) })}
        </span>
        {made !== null && made.scrap > 0 && (
          <span>
            {t("scrap")} {withUnit(made.scrap, unit, context)}
          </span>
        )}
        {made !== null && made.rework > 0 && (
          <span>
            {t("rework")} {withUnit(made.rework, unit, context)}
          </span>
        )}
      </p>
      <progress value={share} max={1} aria-label={t("good")} />
    </div>
  );
}

export function NextOrders(props: OrderProps & { onStart(wanted: Wanted): void; onOther(): void }) {
  const { work, context, t } = props;
  const format = context.formatIn(work.timeZone);
  return (
    <section className="next" aria-label={t("next")}>
      <header>
        <h3>{t("next")}</h3>
        <button type="button" className="touch quiet" onClick={props.onOther}>
          {t("order.other")}
        </button>
      </header>
      {work.next.length === 0 && <p className="terminal-hint">{t("next.none")}</p>}
      <ul>
        {work.next.slice(0, 8).map((order) => (
          <li key={`${order.order} ${order.operation}`}>
            <span>
              <strong>{order.order}</strong>
              <small>
                {order.materialName ?? order.material ?? ""} · {withUnit(order.quantity, order.unit, context)}
                {order.plannedFromUs !== null &&
                  ` · ${t("planned", { time: format.dateTime(order.plannedFromUs).slice(0, -3) })}`}
              </small>
            </span>
            <button
              type="button"
              className="touch"
              onClick={() =>
                props.onStart({ order: order.order, ...(order.operation === "" ? {} : { operation: order.operation }) })
              }
            >
              {t("start")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
