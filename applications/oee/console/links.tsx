import type { PageContext } from "@lineshaft/ui/kit";
import type { ReactNode } from "react";
import { pathTo } from "./plant.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** The ISA-95 path of an equipment; each part leads to the page that shows it, or stays on this one. The range goes with it. */
export function PathLinks(props: { id: number; plant: Plant; context: PageContext; stay?: boolean }) {
  const { id, plant, context, stay = false } = props;
  const range = { live: context.query.get("live"), from: context.query.get("from"), to: context.query.get("to") };
  const lines = new Set(plant.sites.flatMap(({ lines: all }) => all.map(({ equipment }) => equipment.id)));
  const pageOf = (item: { id: number; level: string }): string => {
    if (stay) return context.page;
    if (item.level === "workUnit") return "machine";
    return lines.has(item.id) ? "line" : "oee";
  };
  return (
    <nav className="path" aria-label="ISA-95">
      {pathTo(id, plant.equipment).map((item) => (
        <a
          key={item.id}
          aria-current={item.id === id ? "location" : undefined}
          {...context.link(pageOf(item), { id: item.id, ...range })}
        >
          {item.name}
        </a>
      ))}
    </nav>
  );
}

/** Which places a page can show: lines, machines, or whatever numbers are made of. */
export type Places = "lines" | "machines" | "all";

const labels = { lines: "line.choose", machines: "machine.choose", all: "oee.choose" } as const;

/** The places of a page to choose from, in the order of the plant. The rest of the view stays, but for what names tags of the old one. */
export function PlaceChoice(props: { id: number; plant: Plant; context: PageContext; t: Say; places: Places }) {
  const { id, plant, context, t, places } = props;
  const choose = (next: string): void =>
    context.go(context.page, { ...Object.fromEntries(context.query), id: next, tags: null });
  const option = (key: number, name: string): ReactNode => (
    <option key={key} value={key}>
      {name}
    </option>
  );
  return (
    <select
      className="input machine-choice"
      aria-label={t(labels[places])}
      value={id}
      onChange={(event) => choose(event.target.value)}
    >
      {places === "machines"
        ? plant.sites.flatMap((site) =>
            site.lines.map((line) => (
              <optgroup key={line.equipment.id} label={`${site.equipment.name} › ${line.equipment.name}`}>
                {line.machines.map((machine) => option(machine.id, machine.name))}
              </optgroup>
            )),
          )
        : plant.sites.map((site) => (
            <optgroup key={site.equipment.id} label={site.equipment.name}>
              {places === "all" && option(site.equipment.id, site.equipment.name)}
              {site.lines.flatMap((line) => [
                option(line.equipment.id, line.equipment.name),
                ...(places === "lines"
                  ? []
                  : line.machines.map((machine) => option(machine.id, `${line.equipment.name} › ${machine.name}`))),
              ])}
            </optgroup>
          ))}
    </select>
  );
}
