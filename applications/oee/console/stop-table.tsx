import type { Reason } from "@lineshaft/contract/api";
import { Button, type PageContext, StateMark, useLoaded } from "@lineshaft/ui/kit";
import { pieceText, type Say } from "./texts.ts";
import type { StopRow } from "./timeline.ts";

const rowsMax = 200;
const tagsShown = 8;

/** Stops one below the other, newest first: the way to a reason that needs no pointer. */
export function StopTable(props: {
  id: number;
  rows: readonly StopRow[];
  reasons: ReadonlyMap<number, Reason>;
  context: PageContext;
  format: PageContext["format"];
  t: Say;
  onShow(row: StopRow): void;
  /** null: whoever reads may not book. */
  onSay: ((row: StopRow) => void) | null;
}) {
  const { id, rows, reasons, context, format, t, onSay } = props;
  // What the machine itself said: the raw tags that everything above was made of.
  const tags = useLoaded(`raw ${id}`, async (signal) => {
    const { items } = await context.platform.call("listTags", { query: { equipmentId: id, limit: tagsShown }, signal });
    return items.map((tag) => tag.id).join(",");
  });
  const shown = rows.slice(0, rowsMax);
  return (
    <section className="stops" aria-label={t("machine.stops")}>
      <h2>
        {t("machine.stops")} <span className="count">{t("machine.stops.count", { n: rows.length })}</span>
      </h2>
      {rows.length === 0 ? (
        <p className="oee-hint">{t("machine.stops.none")}</p>
      ) : (
        <table className="plain">
          <thead>
            <tr>
              <th>{t("stop.from")}</th>
              <th className="right">{t("stop.duration")}</th>
              <th>{t("stop.reason")}</th>
              <th>{t("stop.text")}</th>
              <th>{t("stop.evidence")}</th>
              {onSay !== null && (
                <th>
                  <span className="unseen">{t("stop.give")}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.fromUs} onPointerEnter={() => props.onShow(row)}>
                <td>{format.dateTime(row.fromUs)}</td>
                <td className="right">{format.duration(row.toUs - row.fromUs)}</td>
                <td>
                  <StateMark state={row.state} /> {pieceText(row, reasons, t, context.locale)}
                </td>
                <td>{row.text}</td>
                <td>
                  <a {...context.link("trends", { tags: tags.data, ...around(row), cursor: Math.round(row.fromUs) })}>
                    {t("stop.raw")}
                  </a>
                </td>
                {onSay !== null && (
                  <td className="right">
                    <Button kind="quiet" onClick={() => onSay(row)}>
                      {t(row.given ? "stop.change" : "stop.give")}
                    </Button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rows.length > rowsMax && <p className="oee-hint">{t("machine.stops.more", { n: rowsMax })}</p>}
    </section>
  );
}

function around({ fromUs, toUs }: StopRow): { from: number; to: number } {
  const span = Math.max(120e6, (toUs - fromUs) / 2);
  return { from: Math.round(fromUs - span), to: Math.round(toUs + span) };
}
