import type { Reason } from "@lineshaft/contract/api";
import type { PageContext } from "@lineshaft/ui/kit";
import type { Entry } from "./entries.ts";
import { Sheet } from "./sheet.tsx";
import { nameIn, problemText, type Say, wordsOf } from "./texts.ts";
import type { Terminal } from "./use-terminal.ts";

/** Everything that was entered here and is still kept, the newest first: what waits, what was not taken and why, what was booked. */
export function EntriesSheet(props: {
  context: PageContext;
  t: Say;
  terminal: Terminal;
  reasons: ReadonlyMap<number, Reason>;
  onClose(): void;
}) {
  const { context, t, terminal } = props;
  const nameOf = nameIn(props.reasons, context.locale);
  const newest = [...terminal.entries].reverse();
  return (
    <Sheet title={t("entries")} t={t} onClose={props.onClose}>
      <p className="terminal-hint" role="status">
        {t(terminal.link === "online" ? "online" : terminal.link === "offline" ? "unread" : "signedOut")}
      </p>
      {newest.length === 0 && <p className="terminal-hint">{t("entries.none")}</p>}
      <ul className="entry-list">
        {newest.map((entry) => (
          <li key={entry.id} className={`entry entry-${entry.state}`}>
            <time>{context.formatIn(terminal.zone).dateTime(entry.atUs)}</time>
            <span>
              <strong>{wordsOf(entry.intent, t, nameOf)}</strong>
              <small>{stateOf(entry, t)}</small>
            </span>
            <Buttons entry={entry} t={t} terminal={terminal} />
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

function stateOf({ state, withdrawn, cause, problem }: Entry, t: Say): string {
  const said = withdrawn ? t("state.withdrawn") : cause === null ? t(`state.${state}`) : t(`cause.${cause}`);
  return problem === null ? said : `${said}: ${problemText(problem, t)}`;
}

function Buttons({ entry, t, terminal }: { entry: Entry; t: Say; terminal: Terminal }) {
  const { id, state, withdrawn } = entry;
  if (withdrawn) return null;
  if (state === "waiting" || state === "booked")
    return (
      <button type="button" className="touch" onClick={() => terminal.withdraw(id)}>
        {t("entries.takeBack")}
      </button>
    );
  return (
    <>
      <button type="button" className="touch" onClick={() => terminal.change(id, { state: "waiting", problem: null })}>
        {t("entries.again")}
      </button>
      {state === "refused" && (
        <button type="button" className="touch" onClick={() => terminal.change(id, { state: "aside" })}>
          {t("entries.aside")}
        </button>
      )}
    </>
  );
}
