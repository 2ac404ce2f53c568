import { type PageContext, type StateClass, StateMark, stateClasses } from "@lineshaft/ui/kit";
import { pathTo, type Site } from "./plant.ts";
import { type Say, stateWord } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** What of the plant is shown; it stands in the address. */
export interface Filter {
  /** Words that must occur in a machine's path. */
  text: string;
  /** Only what stands at or below it; null: everything. */
  place: number | null;
  /** Only machines in one of these; none: all. */
  states: ReadonlySet<StateClass>;
}

export function filterOf(query: URLSearchParams): Filter {
  const states = (query.get("state") ?? "").split(",");
  return {
    text: query.get("q") ?? "",
    place: query.has("at") ? Number(query.get("at")) : null,
    states: new Set(stateClasses.filter((state) => states.includes(state))),
  };
}

/** Sites and lines with those machines that place and words leave. */
export function filtered(sites: readonly Site[], plant: Plant, { text, place, states: _ }: Filter): Site[] {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const at = place === null ? undefined : plant.equipment.find(({ id }) => id === place)?.path;
  const below = (path: string): boolean => at === undefined || at === "" || path === at || path.startsWith(`${at}/`);
  const named = (path: string): boolean => words.every((word) => path.toLocaleLowerCase().includes(word));
  if (at === undefined && words.length === 0) return [...sites];
  return sites
    .map((site) => ({
      ...site,
      lines: site.lines
        .map((line) => ({ ...line, machines: line.machines.filter(({ path }) => below(path) && named(path)) }))
        .filter(({ machines }) => machines.length > 0),
    }))
    .filter(({ lines }) => lines.length > 0);
}

/** Below so many machines everything is seen at a glance. */
const worthFiltering = 12;

export function OverviewFilter(props: {
  filter: Filter;
  plant: Plant;
  counts: readonly { state: StateClass; n: number }[];
  machines: number;
  context: PageContext;
  t: Say;
}) {
  const { filter, plant, counts, machines, context, t } = props;
  const set = (next: Partial<Filter>): void => {
    const { text, place, states } = { ...filter, ...next };
    context.go(context.page, { q: text, at: place, state: [...states].join(",") }, "replace");
  };
  const toggled = (state: StateClass): ReadonlySet<StateClass> => {
    const states = new Set(filter.states);
    if (!states.delete(state)) states.add(state);
    return states;
  };
  return (
    <search className="overview-filter">
      {machines > worthFiltering && (
        <>
          <input
            className="input"
            type="search"
            placeholder={t("overview.find")}
            aria-label={t("overview.find")}
            value={filter.text}
            onChange={(event) => set({ text: event.target.value })}
          />
          <select
            className="input"
            aria-label={t("overview.place")}
            value={filter.place ?? ""}
            onChange={(event) => set({ place: event.target.value === "" ? null : Number(event.target.value) })}
          >
            <option value="">{t("overview.everywhere")}</option>
            {placesOf(plant).map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </>
      )}
      <fieldset className="overview-states" aria-label={t("overview.states")}>
        {counts.map(({ state, n }) => (
          <button
            key={state}
            type="button"
            className="state-chip"
            data-state={state}
            aria-pressed={filter.states.has(state)}
            onClick={() => set({ states: toggled(state) })}
          >
            <StateMark state={state} /> <b>{context.format.integer(n)}</b> {stateWord(t, state)}
          </button>
        ))}
      </fieldset>
      {(filter.text !== "" || filter.place !== null || filter.states.size > 0) && (
        <button type="button" className="link" onClick={() => set({ text: "", place: null, states: new Set() })}>
          {t("overview.showAll")}
        </button>
      )}
    </search>
  );
}

/** Sites, areas and lines with machines, as the tree stands. */
function placesOf({ sites, equipment }: Plant): { id: number; label: string }[] {
  const places = new Map<number, string>();
  for (const { lines } of sites)
    for (const line of lines)
      for (const [depth, { id, name }] of pathTo(line.equipment.id, equipment).entries())
        if (!places.has(id)) places.set(id, `${"\u2003".repeat(depth)}${name}`);
  return [...places].map(([id, label]) => ({ id, label }));
}
