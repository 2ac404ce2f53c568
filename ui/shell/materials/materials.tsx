import { t } from "../i18n.ts";
import { Findings } from "../identifiers/findings.tsx";
import { KindView } from "../master-data/kind-view.tsx";
import { kindGroups } from "../master-data/kinds.ts";
import { go, link, usePlace } from "../router.ts";
import { ReasonsView } from "./reasons.tsx";

const all = kindGroups.flatMap(({ views }) => views);

/** What is made, by which machines, and how it is counted: what every number is measured by. */
export function MaterialsPage() {
  const { query } = usePlace();
  const { view, kind } = all.find((one) => one.view === query.get("view")) ?? all[0];
  const filter = query.get("q") ?? "";
  const place = (part: Record<string, string | null>): void =>
    go("materials", { ...Object.fromEntries(query), ...part }, "replace");
  const queryOf = (next: string) => ({ view: next === all[0].view ? null : next });
  const head = (
    <>
      <select
        className="input auto kind-choice"
        aria-label={t("masterData.kinds")}
        value={view}
        onChange={(event) => go("materials", queryOf(event.target.value), "replace")}
      >
        {kindGroups.map(({ group, views }) => (
          <optgroup key={group} label={t(`masterData.group.${group}`)}>
            {views.map((one) => (
              <option key={one.view} value={one.view}>
                {t(`kind.${one.kind}`)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <input
        className="input filter"
        type="search"
        aria-label={t("materials.filter")}
        placeholder={t("materials.filter")}
        value={filter}
        onChange={(event) => place({ q: event.target.value })}
      />
      {kind === "identifierRule" && <Findings />}
    </>
  );
  const props = { head, filter, selected: query.get("at"), onSelect: (at: string | null) => place({ at }) };
  return (
    <div className="kind-page">
      <nav className="kind-side" aria-label={t("masterData.kinds")}>
        {kindGroups.map(({ group, views }) => (
          <section key={group} aria-labelledby={`kinds-${group}`}>
            <h2 id={`kinds-${group}`}>{t(`masterData.group.${group}`)}</h2>
            {views.map((one) => (
              <a
                key={one.view}
                aria-current={one.view === view ? "page" : undefined}
                {...link("materials", queryOf(one.view))}
              >
                {t(`kind.${one.kind}`)}
              </a>
            ))}
          </section>
        ))}
      </nav>
      {kind === "reason" ? <ReasonsView {...props} /> : <KindView key={kind} {...props} kind={kind} />}
    </div>
  );
}
