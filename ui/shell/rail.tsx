import type { Session } from "@lineshaft/contract/api";
import { useEffect, useState } from "react";
import { Icon, type IconName, type PageGroup, pageGroups } from "../kit/index.ts";
import { contributed } from "./contributions.ts";
import { getLocale, t } from "./i18n.ts";
import "./rail.css";
import { link, type Page, pages, startPage } from "./router.ts";

/** Where the console's own pages stand; contributed ones say it of themselves. */
const groupOf: Partial<Record<Page, PageGroup>> = {
  trends: "analyse",
  orders: "plan",
  calendar: "plan",
  materials: "plan",
  system: "system",
};

export interface RailEntry {
  path: string;
  icon: IconName;
  title: string;
  group: PageGroup;
}

/** What the rail offers, group by group, in its order. */
export function railGroups(
  session: Session,
  own: (page: Page) => { icon: IconName; title: string },
): { group: PageGroup; entries: RailEntry[] }[] {
  const others = contributed
    .filter(({ frame, inRail, isFor }) => (inRail ?? frame === "console") && (isFor?.(session) ?? true))
    .map(({ path, icon, title, rank, group = "analyse" }) => ({ path, icon, title: title[getLocale()], rank, group }));
  const ours = pages.map((path) => ({ path, ...own(path), rank: 0, group: groupOf[path] ?? ("connect" as const) }));
  const all = [...others.filter(({ rank }) => rank < 0), ...ours, ...others.filter(({ rank }) => rank >= 0)];
  return pageGroups
    .map((group) => ({ group, entries: all.filter((entry) => entry.group === group) }))
    .filter(({ entries }) => entries.length > 0);
}

const stored = "lineshaft.rail";

function wasNarrow(): boolean {
  try {
    return localStorage.getItem(stored) === "narrow";
  } catch {
    // A browser that keeps nothing shows it as it comes.
    return false;
  }
}

/** Pages in groups beside the page; narrow it shows symbols only, and keeps that. */
export function Rail({ page, groups }: { page: string; groups: ReturnType<typeof railGroups> }) {
  const [narrow, setNarrow] = useState(wasNarrow);
  useEffect(() => {
    try {
      localStorage.setItem(stored, narrow ? "narrow" : "wide");
    } catch {
      // Holds for this visit only.
    }
  }, [narrow]);
  return (
    <nav className={narrow ? "rail rail-narrow" : "rail"} aria-label={t("nav")}>
      <a className="brand" {...link(startPage)}>
        <img src="/lineshaft.svg" width="30" height="30" alt="Lineshaft" />
      </a>
      {groups.map(({ group, entries }) => (
        <section key={group} className="rail-group" aria-labelledby={`rail-${group}`}>
          <h2 id={`rail-${group}`}>{t(`nav.${group}`)}</h2>
          {entries.map((entry) => (
            <a
              key={entry.path}
              className="rail-link"
              title={narrow ? entry.title : undefined}
              aria-current={entry.path === page ? "page" : undefined}
              {...link(entry.path)}
            >
              <Icon name={entry.icon} />
              <span>{entry.title}</span>
            </a>
          ))}
        </section>
      ))}
      <button
        type="button"
        className="rail-link rail-fold"
        aria-expanded={!narrow}
        title={t(narrow ? "nav.unfold" : "nav.fold")}
        onClick={() => setNarrow(!narrow)}
      >
        <Icon name={narrow ? "right" : "left"} />
        <span>{t(narrow ? "nav.unfold" : "nav.foldShort")}</span>
      </button>
    </nav>
  );
}
