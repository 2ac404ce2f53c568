import type { BookingIntent, Equipment, Reason } from "@lineshaft/contract/api";
import { Icon, type PageContext, useLoaded, useSecond } from "@lineshaft/ui/kit";
import { useEffect, useMemo, useState } from "react";
import type { Entry } from "./entries.ts";
import { EntriesSheet } from "./entries-sheet.tsx";
import { reasonTree } from "./reasons.ts";
import { type Scanned, Station } from "./station.tsx";
import "./terminal.css";
import { nameIn, problemText, type Say, textsOf, wordsOf } from "./texts.ts";
import { useScanner } from "./use-scanner.ts";
import { type Terminal, useTerminal } from "./use-terminal.ts";

/** How long the last entry can be taken back without looking for it. */
const doneMs = 10_000;
const reasonsKey = "lineshaft.terminal.reasons";

/** What do I do now, what happened just now? `equipment` in the address names the machine, or a few: 7 or 7,8. */
export default function TerminalPage({ context }: { context: PageContext }) {
  const t = textsOf(context);
  const ids = (context.query.get("equipment") ?? "")
    .split(",")
    .map(Number)
    .filter((id) => Number.isInteger(id) && id > 0);
  return ids.length === 0 ? <Choice context={context} t={t} /> : <Machines context={context} t={t} ids={ids} />;
}

function Choice({ context, t }: { context: PageContext; t: Say }) {
  const { data, error } = useLoaded("machines", () => machinesOf(context));
  if (data === null)
    return (
      <main className="terminal terminal-choice">
        {error === null ? <p>{t("wait")}</p> : <context.Problem error={error} />}
      </main>
    );
  return (
    <main className="terminal terminal-choice">
      <h1>{data.length === 0 ? t("choose.none") : t("choose")}</h1>
      <div className="tiles">
        {data.map(({ id, name, path }) => (
          <button key={id} type="button" className="tile" onClick={() => context.go("terminal", { equipment: id })}>
            <strong>{name}</strong>
            <span>{path}</span>
          </button>
        ))}
      </div>
      <p className="terminal-hint">{t("choose.hint")}</p>
    </main>
  );
}

async function machinesOf({ platform }: PageContext): Promise<Equipment[]> {
  const found: Equipment[] = [];
  let cursor: string | undefined;
  do {
    const page = await platform.call("listEquipment", { query: { limit: 1000, cursor } });
    found.push(...page.items.filter(({ level }) => level === "workUnit"));
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** Kept in the browser, so that reasons have their names while the server is away. */
function useReasons(context: PageContext): ReadonlyMap<number, Reason> {
  const { data } = useLoaded("reasons", async () => {
    const { items } = await context.platform.call("listReasons", { query: { limit: 1000 } });
    const own = items.map(({ item }) => item);
    localStorage.setItem(reasonsKey, JSON.stringify(own));
    return own;
  });
  return useMemo(() => {
    const kept = localStorage.getItem(reasonsKey);
    return reasonTree(data ?? (kept === null ? [] : (JSON.parse(kept) as Reason[])));
  }, [data]);
}

function Machines({ context, t, ids }: { context: PageContext; t: Say; ids: readonly number[] }) {
  const [chosen, setChosen] = useState(ids[0]);
  const [badge, setBadge] = useState<string | null>(null);
  const [scanned, setScanned] = useState<Scanned | null>(null);
  const [sheet, setSheet] = useState(false);
  const [done, setDone] = useState<Entry | null>(null);
  const reasons = useReasons(context);
  const terminal = useTerminal(context, badge ?? undefined, () => context.note(t("full")));
  const equipmentId = ids.includes(chosen) ? chosen : ids[0];
  useScanner((scan, code) => {
    if (scan.what === "order") setScanned({ ...scan, code });
    else if (context.query.get("badge") === "on") setBadge(scan.badge);
    else context.note(t("badge.off"));
  });
  const enter = (intent: BookingIntent): void => setDone(terminal.enter(equipmentId, intent));
  useEffect(() => {
    if (done === null) return;
    const timer = window.setTimeout(() => setDone(null), doneMs);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <main className="terminal">
      <Station
        key={equipmentId}
        context={context}
        t={t}
        equipmentId={equipmentId}
        terminal={terminal}
        reasons={reasons}
        scanned={scanned}
        onScanned={() => setScanned(null)}
        enter={enter}
        tabs={ids.length < 2 ? null : <Tabs ids={ids} chosen={equipmentId} onChoose={setChosen} context={context} />}
        corner={
          <Corner
            context={context}
            t={t}
            terminal={terminal}
            badge={badge}
            onBadge={() => setBadge(null)}
            onEntries={() => setSheet(true)}
          />
        }
      />
      {done !== null && (
        <Done
          entry={terminal.entries.find(({ id }) => id === done.id) ?? null}
          text={(entry) =>
            t("done", {
              what: wordsOf(entry.intent, t, nameIn(reasons, context.locale)),
              time: context.formatIn(terminal.zone).time(entry.atUs),
            })
          }
          t={t}
          onTakeBack={(id) => {
            terminal.withdraw(id);
            setDone(null);
          }}
        />
      )}
      {sheet && (
        <EntriesSheet context={context} t={t} terminal={terminal} reasons={reasons} onClose={() => setSheet(false)} />
      )}
    </main>
  );
}

/** Several machines at one terminal: their names, one of them chosen. */
function Tabs(props: { ids: readonly number[]; chosen: number; onChoose(id: number): void; context: PageContext }) {
  const { data } = useLoaded(`names ${props.ids}`, () =>
    Promise.all(props.ids.map((id) => props.context.platform.call("getEquipment", { params: { id } }))),
  );
  return (
    <nav className="terminal-tabs">
      {props.ids.map((id) => (
        <button key={id} type="button" aria-pressed={id === props.chosen} onClick={() => props.onChoose(id)}>
          {data?.find((each) => each.id === id)?.name ?? id}
        </button>
      ))}
    </nav>
  );
}

/** Is it connected, does something wait, who is here, what time is it? */
function Corner(props: {
  context: PageContext;
  t: Say;
  terminal: Terminal;
  badge: string | null;
  onBadge(): void;
  onEntries(): void;
}) {
  const { context, t, terminal, badge } = props;
  useSecond();
  const waiting = terminal.entries.filter(({ state }) => state === "waiting").length;
  const refused = terminal.entries.filter(({ state }) => state === "refused").length;
  const kind = refused > 0 ? "fault" : waiting > 0 || terminal.link !== "online" ? "wait" : "well";
  const text =
    refused > 0
      ? t("entries.refused", { n: refused })
      : waiting > 0
        ? t("entries.waiting", { n: waiting })
        : t(terminal.link === "online" ? "entries" : "offline");
  return (
    <div className="terminal-corner">
      {badge !== null && (
        <button type="button" className="touch quiet" onClick={props.onBadge}>
          <Icon name="user" size={24} /> {t("badge", { badge })} <Icon name="close" size={18} />
        </button>
      )}
      <button type="button" className={`touch link-${kind}`} onClick={props.onEntries}>
        <Icon name={kind === "well" ? "check" : kind === "wait" ? "pause" : "rejected"} size={24} /> {text}
      </button>
      <time className="terminal-clock">{context.formatIn(terminal.zone).time(terminal.nowUs()).slice(0, 5)}</time>
    </div>
  );
}

function Done(props: { entry: Entry | null; text(entry: Entry): string; t: Say; onTakeBack(id: string): void }) {
  const { entry, t } = props;
  if (entry === null || entry.withdrawn) return null;
  return (
    <div className={`terminal-done done-${entry.state}`} role="status">
      <span>
        <strong>{props.text(entry)}</strong>
        <small>
          {entry.cause === null ? t(`state.${entry.state}`) : t(`cause.${entry.cause}`)}
          {entry.problem !== null && `: ${problemText(entry.problem, t)}`}
        </small>
      </span>
      {(entry.state === "waiting" || entry.state === "booked") && (
        <button type="button" className="touch" onClick={() => props.onTakeBack(entry.id)}>
          {t("entries.takeBack")}
        </button>
      )}
    </div>
  );
}
