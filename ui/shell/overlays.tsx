import type { RawTag, Session } from "@lineshaft/contract/api";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Dialog, type Pick, Picker, unitText } from "../kit/index.ts";
import { contributed } from "./contributions.ts";
import { matches, tagName, tagPlace, useDirectory } from "./directory.ts";
import { getLocale, type PlainKey, t } from "./i18n.ts";
import { call } from "./platform.ts";
import { go, pages } from "./router.ts";
import { useSession } from "./session.ts";

type Overlay = "search" | "shortcuts" | null;
let overlay: Overlay = null;
const listeners = new Set<() => void>();

export function openOverlay(next: Overlay): void {
  overlay = next;
  for (const listener of listeners) listener();
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Keys that hold everywhere. Two keys in a row, `g` and a letter, go to a page. */
export function startShortcuts(): () => void {
  // Long ago: a key soon after the page has come is no second one.
  let wentFirst = Number.NEGATIVE_INFINITY;
  const byLetter: Record<string, string> = {
    ...Object.fromEntries(
      contributed.flatMap(({ shortcut, path }) => (shortcut === undefined ? [] : [[shortcut, path]])),
    ),
    e: "equipment",
    t: "trends",
    c: "connections",
    o: "configuration",
    r: "rejected",
    s: "system",
    j: "orders",
    y: "calendar",
    i: "materials",
  };
  const onKey = (event: KeyboardEvent): void => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      typing(event.target) ||
      document.querySelector("dialog[open]")
    )
      return;
    if (event.key === "/") openOverlay("search");
    else if (event.key === "?") openOverlay("shortcuts");
    else if (event.key === "g") {
      wentFirst = event.timeStamp;
      return;
    } else if (event.timeStamp - wentFirst < 1200 && event.key in byLetter) go(byLetter[event.key]);
    else return;
    event.preventDefault();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

export function Overlays() {
  const open = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => overlay,
  );
  if (open === "search") return <SearchPalette />;
  if (open === "shortcuts") return <Shortcuts />;
  return null;
}

const picksPerGroup = 12;

/** Tags by name, address and place; those that the console does not hold are asked of the server. */
export function useTagSearch(text: string, most = picksPerGroup): { tags: RawTag[]; busy: boolean } {
  const { tags, moreTags } = useDirectory("tags");
  const [found, setFound] = useState<{ text: string; tags: RawTag[] }>({ text: "", tags: [] });
  const here: RawTag[] = [];
  if (text !== "")
    for (const tag of tags) {
      if (matches(text, tag.name, tag.address, tagPlace(tag), tag.connection)) here.push(tag);
      if (here.length === most) break;
    }
  const ask = moreTags && text !== "" && here.length < most;
  useEffect(() => {
    if (!ask) return;
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      call("listTags", { query: { search: text, limit: most }, signal: abort.signal })
        .then(({ items }) => setFound({ text, tags: items }))
        .catch(() => {});
    }, 200);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [ask, text, most]);
  const known = new Set(here.map((tag) => tag.id));
  const more = found.text === text ? found.tags.filter((tag) => !known.has(tag.id)) : [];
  return { tags: [...here, ...more].slice(0, most), busy: ask && found.text !== text };
}

/** Pages of applications that the signed-in person may see. */
function useContributed(): { path: string; title: string; shortcut: string | undefined }[] {
  const session = useSession();
  if (session.state !== "signedIn") return [];
  const isFor = (page: (typeof contributed)[number], who: Session): boolean => page.isFor?.(who) ?? true;
  return contributed
    .filter((page) => isFor(page, session.session))
    .map(({ path, title, shortcut }) => ({ path, title: title[getLocale()], shortcut }));
}

function SearchPalette() {
  const [text, setText] = useState("");
  const { equipment, connections } = useDirectory("connections");
  const guests = useContributed();
  const { tags, busy } = useTagSearch(text.trim());
  const close = (): void => openOverlay(null);
  const words = text.trim();
  const picks: Pick[] = [
    ...[...guests, ...pages.map((path) => ({ path, title: t(`page.${path}`) }))]
      .filter(({ path, title }) => matches(words, title, path))
      .map(({ path, title }) => ({ id: `p:${path}`, label: title, group: t("search.pages") })),
    ...equipment
      .filter((item) => words !== "" && matches(words, item.name, item.path))
      .slice(0, picksPerGroup)
      .map((item) => ({
        id: `e:${item.id}`,
        label: item.name,
        note: `${t(`level.${item.level}`)}${item.path.includes("/") ? ` · ${item.path}` : ""}`,
        group: t("search.equipment"),
      })),
    ...connections
      .filter((one) => words !== "" && matches(words, one.name, one.kind))
      .slice(0, picksPerGroup)
      .map((one) => ({ id: `c:${one.name}`, label: one.name, note: one.kind, group: t("search.connections") })),
    ...tags.map((tag) => ({
      id: `t:${tag.id}`,
      label: tagName(tag),
      note: `${tagPlace(tag)}${tag.unit === null ? "" : ` · ${unitText(tag.unit)}`}`,
      group: t("search.tags"),
    })),
  ];
  const onPick = (pick: string): void => {
    close();
    const id = pick.slice(2);
    if (pick.startsWith("p:")) go(id);
    else if (pick.startsWith("c:")) go("connections", { name: id });
    else if (pick.startsWith("e:")) go("equipment", { node: pick });
    else go("equipment", { node: "all", tag: id });
  };
  return (
    <Dialog title={t("search.title")} closeLabel={t("close")} onClose={close} className="palette">
      <Picker
        label={t("search.title")}
        placeholder={t("search.placeholder")}
        text={text}
        onText={setText}
        picks={picks}
        none={busy ? t("search.busy") : t("search.none")}
        busy={busy ? t("search.busy") : null}
        onPick={onPick}
        onCancel={close}
        autoFocus
      />
    </Dialog>
  );
}

const shortcutGroups: readonly { title: PlainKey; keys: readonly [string, PlainKey][] }[] = [
  {
    title: "shortcuts.everywhere",
    keys: [
      ["/", "shortcuts.search"],
      ["?", "shortcuts.help"],
      ["g e", "page.equipment"],
      ["g t", "page.trends"],
      ["g j", "page.orders"],
      ["g y", "page.calendar"],
      ["g i", "page.materials"],
      ["g c", "page.connections"],
      ["g o", "page.configuration"],
      ["g r", "page.rejected"],
      ["g s", "page.system"],
    ],
  },
  {
    title: "shortcuts.table",
    keys: [
      ["↑ ↓", "shortcuts.move"],
      ["Space", "shortcuts.select"],
      ["Enter", "shortcuts.openTrend"],
      ["F2", "shortcuts.rename"],
      ["a", "shortcuts.assign"],
      ["Ctrl C", "shortcuts.copy"],
    ],
  },
  {
    title: "shortcuts.browse",
    keys: [
      ["↑ ↓", "shortcuts.move"],
      ["→ ←", "shortcuts.open"],
      ["Space", "shortcuts.tick"],
      ["Shift Space", "shortcuts.tickBelow"],
    ],
  },
  {
    title: "shortcuts.plan",
    keys: [
      ["← →", "shortcuts.moveShift"],
      ["Shift ← →", "shortcuts.moveFine"],
      ["Alt ← →", "shortcuts.moveEnd"],
      ["Enter", "shortcuts.review"],
    ],
  },
  {
    title: "shortcuts.trend",
    keys: [
      ["← →", "shortcuts.pan"],
      ["+ −", "shortcuts.zoom"],
      ["Shift ← →", "shortcuts.cursor"],
      ["l", "shortcuts.live"],
      ["f", "shortcuts.fit"],
      ["Esc", "shortcuts.noCursor"],
    ],
  },
];

const keyName = (key: string): string =>
  key === "Ctrl" || key === "Alt" || key === "Shift" || key === "Space" ? t(`key.${key}`) : key;

function Keys({ keys, what }: { keys: string; what: string }) {
  return (
    <div>
      <dt>
        {keys.split(" ").map((key) => (
          <kbd key={key}>{keyName(key)}</kbd>
        ))}
      </dt>
      <dd>{what}</dd>
    </div>
  );
}

function Shortcuts() {
  const guests = useContributed();
  return (
    <Dialog title={t("shortcuts.title")} closeLabel={t("close")} onClose={() => openOverlay(null)} wide>
      <div className="shortcuts">
        {shortcutGroups.map((group) => (
          <section key={group.title}>
            <h3>{t(group.title)}</h3>
            <dl>
              {group.keys.map(([keys, what]) => (
                <Keys key={keys} keys={keys} what={t(what)} />
              ))}
              {group === shortcutGroups[0] &&
                guests.map(
                  ({ path, title, shortcut }) =>
                    shortcut !== undefined && <Keys key={path} keys={`g ${shortcut}`} what={title} />,
                )}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
