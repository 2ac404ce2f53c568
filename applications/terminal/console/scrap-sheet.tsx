import type { BookingIntent, Reason, Work } from "@lineshaft/contract/api";
import { Icon, type PageContext, Segments } from "@lineshaft/ui/kit";
import { useEffect, useRef, useState } from "react";
import { scrapReasons } from "./reasons.ts";
import { lookedUp, readThing, type Subject, saidOf, withoutSerial, withThing } from "./scrap-things.ts";
import { Keypad, ReasonTiles, Sheet, useQuantity } from "./sheet.tsx";
import type { Scanned } from "./station.tsx";
import type { Say } from "./texts.ts";

/** How many, or which ones, and what is wrong with them: the tap on the reason books it. Units and lots are scanned; no field needs the focus. */
export function ScrapSheet(props: {
  work: Work;
  context: PageContext;
  t: Say;
  reasons: ReadonlyMap<number, Reason>;
  scanned: Scanned | null;
  onScanned(): void;
  onClose(): void;
  book(intent: BookingIntent): void;
}) {
  const { work, context, t } = props;
  const [kind, setKind] = useState<"scrap" | "rework">("scrap");
  const orders = work.running.length > 0 ? work.running : work.next.slice(0, 3);
  const [chosen, setChosen] = useState(0);
  const order = orders[chosen];
  const { text, set, quantity } = useQuantity();
  const things = useThings(props, (code) => {
    const found = orders.findIndex((each) => each.order === code);
    if (found >= 0) setChosen(found);
    return found >= 0;
  });
  if (order === undefined)
    return (
      <Sheet title={t("scrap.title")} t={t} onClose={props.onClose}>
        <p className="terminal-hint">{t("scrap.noOrder")}</p>
      </Sheet>
    );
  const { subject } = things;
  const serials = subject !== null && "serials" in subject ? subject.serials : null;
  const decimal = order.unit === "1" ? null : context.format.number(1.5, 1).charAt(1);
  const many = serials === null ? quantity(decimal) : serials.length;
  const choose = (reason: number | null): void => {
    if (many === null) return;
    const operation = order.operation === "" ? {} : { operation: order.operation };
    props.book({ kind, order: order.order, ...operation, quantity: many, reason, ...saidOf(subject) });
  };
  return (
    <Sheet title={t("scrap.title")} t={t} onClose={props.onClose}>
      <div className="scrap">
        <div className="scrap-many">
          <Segments<"scrap" | "rework">
            label={t("scrap.title")}
            value={kind}
            choices={[
              { value: "scrap", label: t("scrap") },
              { value: "rework", label: t("rework") },
            ]}
            onChange={setKind}
          />
          {orders.length > 1 && (
            <Segments
              label={t("order.number")}
              value={String(chosen)}
              choices={orders.map((each, i) => ({ value: String(i), label: each.order }))}
              onChange={(value) => setChosen(Number(value))}
            />
          )}
          <div className="scrap-told" aria-live="assertive">
            {things.told !== null && <p className={`scrap-${things.told.how}`}>{things.told.text}</p>}
          </div>
          <output className="scrap-quantity">
            {serials !== null ? serials.length : text === "" ? t("scrap.quantity") : text}
          </output>
          {subject !== null && "lot" in subject && (
            <Thing
              name={t("scrap.lot", { lot: subject.lot })}
              checked={subject.checked}
              t={t}
              onRemove={() => things.change(null)}
            />
          )}
          {serials === null ? (
            <>
              {subject === null && <p className="terminal-hint">{t("scrap.scan")}</p>}
              <Keypad value={text} decimal={decimal} t={t} onChange={set} />
            </>
          ) : (
            <div className="scrap-things">
              {[...serials].reverse().map(({ serial, checked }) => (
                <Thing
                  key={serial}
                  name={serial}
                  checked={checked}
                  t={t}
                  onRemove={() => things.change(withoutSerial(subject, serial))}
                />
              ))}
            </div>
          )}
        </div>
        <fieldset className="scrap-reasons" disabled={many === null}>
          <legend>{t("reason.titleScrap")}</legend>
          <ReasonTiles
            groups={scrapReasons(props.reasons)}
            usual={[]}
            proposed={null}
            context={context}
            t={t}
            onChoose={choose}
          />
          <button type="button" className="touch" onClick={() => choose(null)}>
            {t("scrap.without")}
          </button>
        </fieldset>
      </div>
    </Sheet>
  );
}

function Thing({ name, checked, t, onRemove }: { name: string; checked: boolean; t: Say; onRemove(): void }) {
  return (
    <p className="scrap-thing">
      <span>
        <strong>{name}</strong>
        {!checked && <small>{t("scrap.unchecked")}</small>}
      </span>
      <button type="button" className="touch quiet" aria-label={t("scrap.remove", { serial: name })} onClick={onRemove}>
        <Icon name="close" size={24} />
      </button>
    </p>
  );
}

interface Told {
  how: "fault" | "hint";
  text: string;
}

/** Units and a lot as they are scanned, each asked for at the server; `other` takes a code that is something else. */
function useThings(
  props: { work: Work; context: PageContext; t: Say; scanned: Scanned | null; onScanned(): void },
  other: (code: string) => boolean,
): { subject: Subject; told: Told | null; change(subject: Subject): void } {
  const { t, context, scanned, onScanned, work } = props;
  const [subject, setSubject] = useState<Subject>(null);
  const [told, setTold] = useState<Told | null>(null);
  // Scans come faster than answers.
  const latest = useRef<Subject>(null);
  const change = (next: Subject): void => {
    latest.current = next;
    setSubject(next);
  };
  const take = async (code: string): Promise<void> => {
    const thing = readThing(code);
    const { platform } = context;
    setTold({ how: "hint", text: t("scrap.checking", { code: thing.text }) });
    const known = await lookedUp(
      thing,
      {
        unit: (serial) => platform.call("getUnit", { params: { serial } }),
        lot: (lot) => platform.call("getLot", { params: { lot } }),
      },
      work.equipmentId,
    );
    const named = { code: known.id };
    if (known.what === "unknown") return setTold({ how: "fault", text: t("scrap.unknown", named) });
    const next = withThing(latest.current, known);
    const twice = next === latest.current;
    change(next);
    if (twice) setTold({ how: "hint", text: t("scrap.twice", named) });
    else setTold(known.checked && known.elsewhere ? { how: "fault", text: t("scrap.elsewhere", named) } : null);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a scan is answered once, whatever has changed since
  useEffect(() => {
    if (scanned === null) return;
    onScanned();
    if (other(scanned.order)) return setTold(null);
    take(scanned.code).catch((error: unknown) => {
      setTold(null);
      context.fault(error, "");
    });
  }, [scanned]);
  return { subject, told, change };
}
