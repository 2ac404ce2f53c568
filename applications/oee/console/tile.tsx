import { type Micros, minuteUs, secondUs } from "@lineshaft/contract/api";
import { type PageContext, StatePatterns, stateFill, unitText, useSecond } from "@lineshaft/ui/kit";
import { memo, useId } from "react";
import { percentOf, ShareBar } from "./numbers.tsx";
import type { Reasons, Tile } from "./overview-model.ts";
import { pieceText, type Say } from "./texts.ts";

export interface TileProps {
  tile: Tile;
  isConstraint: boolean;
  target: number | null;
  reasons: Reasons;
  context: PageContext;
  t: Say;
}

/** One machine: what it does, what it works at, how the shift goes. Drawn again only when what it says has changed. */
export const MachineTile = memo(MachineTileBody, (a, b) => {
  const same = a.isConstraint === b.isConstraint && a.target === b.target && a.reasons === b.reasons && a.t === b.t;
  return same && said(a.tile) === said(b.tile);
});

const said = ({ alarms: _, ...tile }: Tile): string => JSON.stringify(tile);

function MachineTileBody({ tile, isConstraint, target, reasons, context, t }: TileProps) {
  const { format } = context;
  const { equipment, state, sinceUs, order, oee, ageUs } = tile;
  const reason = pieceText(tile, reasons, t, context.locale);
  const prefix = useId();
  const { colour, pattern } = stateFill(state, prefix);
  return (
    <a className="tile" data-state={state} {...context.link("machine", { id: equipment.id })}>
      <svg className="tile-state" width="100%" height="8" aria-hidden="true">
        {pattern !== null && <StatePatterns prefix={prefix} />}
        <rect width="100%" height="8" fill={colour} />
        {pattern !== null && <rect width="100%" height="8" fill={pattern} />}
      </svg>
      <span className="tile-name">
        <b>{equipment.name}</b>
        {isConstraint && <abbr title={t("overview.constraintHint")}>{t("overview.constraint")}</abbr>}
      </span>
      <span className="tile-reason">
        <span className="tile-why">{reason}</span>
        {sinceUs !== null && <Since us={sinceUs} context={context} />}
      </span>
      <span className="tile-order">
        {order === null ? (
          t("machine.noOrder")
        ) : (
          <>
            <span className="tile-order-name">{order.order}</span>
            <span>
              {order.made === null ? "–" : format.number(order.made, 0)} / {format.number(order.quantity, 0)}{" "}
              {unitText(order.unit)}
            </span>
          </>
        )}
      </span>
      {order === null ? (
        <span className="share-bar" />
      ) : (
        <ShareBar share={(order.made ?? 0) / Math.max(1, order.quantity)} />
      )}
      <span className="tile-oee">
        OEE <b>{percentOf(oee, format, "–")}</b>
      </span>
      <ShareBar share={oee} target={target} />
      {ageUs !== "fresh" && (
        <span className="tile-age">
          {ageUs === null ? t("overview.neverHeard") : t("overview.age", { time: format.duration(ageUs) })}
        </span>
      )}
    </a>
  );
}

/** How long it has been so; ticks by itself. Seconds matter in the first minute. */
function Since({ us, context }: { us: Micros; context: PageContext }) {
  useSecond();
  const lasts = Math.max(secondUs, context.nowUs() - us);
  const step = lasts < minuteUs ? secondUs : minuteUs;
  return <span className="tile-since">{context.format.duration(Math.floor(lasts / step) * step)}</span>;
}

/** A machine whose name is known and nothing else yet. */
export function WaitingTile({ equipment, context, t }: { equipment: Tile["equipment"]; context: PageContext; t: Say }) {
  return (
    <a className="tile tile-waiting" {...context.link("machine", { id: equipment.id })}>
      <b>{equipment.name}</b>
      <span>{t("overview.reading")}</span>
    </a>
  );
}
