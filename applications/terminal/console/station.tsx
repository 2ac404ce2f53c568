import type { BookingIntent, Reason, Work, WorkStop } from "@lineshaft/contract/api";
import { type PageContext, type StateClass, StateMark, useSecond } from "@lineshaft/ui/kit";
import { type ReactNode, useEffect, useState } from "react";
import { FinishSheet, OtherOrderSheet, StartSheet, type Wanted } from "./order-sheets.tsx";
import { CurrentOrders, NextOrders } from "./orders.tsx";
import type { Scan } from "./scanner.ts";
import { ScrapSheet } from "./scrap-sheet.tsx";
import { ReasonSheet, SplitSheet, Stops, secondsOf } from "./stops.tsx";
import type { Say } from "./texts.ts";
import { type Terminal, useWork } from "./use-terminal.ts";

/** A code that stands for an order, or in the sheet of scrap for a unit or a lot. */
export type Scanned = Extract<Scan, { what: "order" }> & { code: string };

export interface StationProps {
  context: PageContext;
  t: Say;
  equipmentId: number;
  terminal: Terminal;
  reasons: ReadonlyMap<number, Reason>;
  scanned: Scanned | null;
  onScanned(): void;
  enter(intent: BookingIntent): void;
  tabs: ReactNode;
  corner: ReactNode;
}

type Asking =
  | { what: "start"; wanted: Wanted }
  | { what: "other" }
  | { what: "finish"; order: string; operation: string }
  | { what: "scrap" }
  | { what: "reason"; stop: WorkStop; part: { fromUs: number; toUs: number } | null }
  | { what: "split"; stop: WorkStop };

/** One machine: what it does, its order, what comes next, and its stops. */
export function Station(props: StationProps) {
  const { context, t, terminal, enter } = props;
  const { work, error } = useWork(context, terminal, props.equipmentId);
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = (): void => setAsking(null);
  const book = (...intents: BookingIntent[]): void => {
    for (const intent of intents) enter(intent);
    close();
  };
  const want = (wanted: Wanted): void => {
    if (work !== null && work.running.length === 0) book({ kind: "startOrder", ...wanted });
    else setAsking({ what: "start", wanted });
  };
  const { scanned, onScanned } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a scan is answered once, whatever has changed since
  useEffect(() => {
    // The sheet of scrap takes what is scanned while it is open.
    if (scanned === null || work === null || asking?.what === "scrap") return;
    onScanned();
    const { order, operation } = scanned;
    want(operation === null ? (knownIn(work, order) ?? { order }) : { order, operation });
  }, [scanned, work === null]);

  const name = work?.name;
  useEffect(() => {
    document.title = name === undefined ? "Lineshaft" : `${name} – Lineshaft`;
  }, [name]);
  return (
    <>
      <header className="terminal-head">
        <div className="terminal-machine">
          <h1 className={props.tabs === null ? "" : "unseen"}>{work?.name ?? ""}</h1>
          {props.tabs}
          {work !== null && <MachineState work={work} context={context} t={t} nowUs={terminal.nowUs} />}
        </div>
        {props.corner}
      </header>
      {work === null ? (
        <div className="terminal-body">
          {error === null ? <p className="terminal-hint">{t("wait")}</p> : <context.Problem error={error} />}
        </div>
      ) : (
        <div className="terminal-body">
          {error !== null && (
            <p className="terminal-away" role="status">
              {t("unread")}
            </p>
          )}
          <div className="terminal-left">
            <CurrentOrders
              work={work}
              context={context}
              t={t}
              onInterrupt={({ order, operation }) => book({ kind: "interruptOrder", order, operation })}
              onFinish={({ order, operation }) => setAsking({ what: "finish", order, operation })}
            />
            <div className="terminal-actions">
              <SetUpButton work={work} context={context} t={t} enter={enter} />
              <button type="button" className="touch action" onClick={() => setAsking({ what: "scrap" })}>
                {t("scrap.title")}
              </button>
            </div>
            <NextOrders
              work={work}
              context={context}
              t={t}
              onStart={want}
              onOther={() => setAsking({ what: "other" })}
            />
          </div>
          <Stops
            work={work}
            context={context}
            t={t}
            reasons={props.reasons}
            nowUs={terminal.nowUs}
            onReason={(stop) => setAsking({ what: "reason", stop, part: null })}
            onSplit={(stop) => setAsking({ what: "split", stop })}
            onAccept={(stop, reason) =>
              enter({ kind: "reason", fromUs: stop.fromUs, toUs: endOf(stop, terminal.nowUs), reason })
            }
          />
        </div>
      )}
      {work !== null && asking !== null && (
        <Question {...props} work={work} asking={asking} ask={setAsking} close={close} book={book} />
      )}
    </>
  );
}

function Question(
  props: StationProps & {
    work: Work;
    asking: Asking;
    ask(asking: Asking): void;
    close(): void;
    book(...intents: BookingIntent[]): void;
  },
) {
  const { work, asking, context, t, close, book, reasons, terminal } = props;
  switch (asking.what) {
    case "start":
      return <StartSheet work={work} wanted={asking.wanted} t={t} onClose={close} book={book} />;
    case "other":
      return (
        <OtherOrderSheet
          t={t}
          onClose={close}
          onOrder={(wanted) =>
            work.running.length === 0 ? book({ kind: "startOrder", ...wanted }) : props.ask({ what: "start", wanted })
          }
        />
      );
    case "finish": {
      const { order, operation } = asking;
      return (
        <FinishSheet
          order={order}
          t={t}
          onClose={close}
          onFinish={() => book({ kind: "finishOrder", order, operation })}
        />
      );
    }
    case "scrap":
      return (
        <ScrapSheet
          work={work}
          context={context}
          t={t}
          reasons={reasons}
          scanned={props.scanned}
          onScanned={props.onScanned}
          onClose={close}
          book={book}
        />
      );
    case "split":
      return (
        <SplitSheet
          stop={asking.stop}
          context={context}
          zone={work.timeZone}
          t={t}
          nowUs={terminal.nowUs}
          onClose={close}
          onPart={(part) => props.ask({ what: "reason", stop: asking.stop, part })}
        />
      );
    case "reason": {
      const { stop, part } = asking;
      return (
        <ReasonSheet
          work={work}
          stop={stop}
          part={part}
          context={context}
          t={t}
          reasons={reasons}
          onClose={close}
          onChoose={(reason) =>
            book(
              part === null
                ? { kind: "reason", fromUs: stop.fromUs, toUs: endOf(stop, terminal.nowUs), reason }
                : { kind: "split", ...part, reason },
            )
          }
        />
      );
    }
  }
}

const endOf = (stop: WorkStop, nowUs: () => number): number => stop.toUs ?? Math.max(nowUs(), stop.fromUs + 1);

/** The operation that is meant where the code names the order only: the one that runs, or comes next. */
function knownIn(work: Work, order: string): Wanted | null {
  const found = work.running.find((each) => each.order === order) ?? work.next.find((each) => each.order === order);
  return found === undefined ? null : { order, operation: found.operation };
}

function stateOf({ state, setUp }: Work): StateClass {
  if (setUp !== null || state.operationMode === "Setup") return "setup";
  if (state.operationMode === "Maintenance") return "maintenance";
  switch (state.itemState) {
    case "Executing":
      return "executing";
    case "OutOfService":
      return "fault";
    case null:
      return "unknown";
    default:
      return "notExecuting";
  }
}

function MachineState(props: { work: Work; context: PageContext; t: Say; nowUs(): number }) {
  const { work, context, t } = props;
  useSecond();
  const state = stateOf(work);
  const since = work.setUp?.fromUs ?? work.state.sinceUs;
  return (
    <p className={`machine-state machine-${state}`}>
      <StateMark state={state} />
      <strong>{t(`machine.${state}`)}</strong>
      <span>{t("since", { duration: secondsOf(props.nowUs() - since, context) })}</span>
    </p>
  );
}

function SetUpButton(props: { work: Work; context: PageContext; t: Say; enter(intent: BookingIntent): void }) {
  const { work, context, t } = props;
  if (work.setUp === null)
    return (
      <button type="button" className="touch action" onClick={() => props.enter({ kind: "setUpBegin" })}>
        {t("setUp.begin")}
      </button>
    );
  const time = context.formatIn(work.timeZone).time(work.setUp.fromUs).slice(0, 5);
  return (
    <button type="button" className="touch action action-on" onClick={() => props.enter({ kind: "setUpEnd" })}>
      <span>
        {t("setUp.end")}
        <small>{t("setUp.since", { time })}</small>
      </span>
    </button>
  );
}
