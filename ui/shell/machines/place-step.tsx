import type { EquipmentEntry, Model, Property } from "@lineshaft/contract/api";
import { useMemo, useState } from "react";
import { Button, EmptyState, Field } from "../../kit/index.ts";
import { readConfiguration } from "../configuration/service.ts";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { useLoaded } from "../use.ts";
import { changeDraft, type Draft, type DraftTag } from "./draft.ts";
import { ModelDialog } from "./model-dialog.tsx";
import { bound, boundProperty, matchingProperty, modelReference } from "./models.ts";
import { NewEquipmentForm } from "./new-equipment.tsx";
import type { StepProps } from "./wizard.tsx";

const rowsShown = 200;

export interface Place {
  path: string;
  level: string;
  model: string | null;
}

/** Everything that a tag may belong to: what is there, and what this draft brings. */
export function placesOf(draft: Draft, there: readonly Place[]): Place[] {
  const own = draft.equipment.map(({ path, level, model }: EquipmentEntry) => ({ path, level, model: model ?? null }));
  return [...there.map((one) => ({ ...one, model: draft.modelOf[one.path] ?? one.model })), ...own].sort((a, b) =>
    a.path.localeCompare(b.path),
  );
}

/** What the tags belong to, and what they mean there. All of it may also come later. */
export function PlaceStep({ draft }: StepProps) {
  const { equipment } = useDirectory();
  const known = useLoaded(
    "models",
    async (signal) => (await readConfiguration(undefined, signal)).configuration.models ?? [],
  );
  const [filter, setFilter] = useState("");
  const [creating, setCreating] = useState(false);
  const [modelling, setModelling] = useState<string | null>(null);
  const models = [...(known.data ?? []), ...draft.models];
  const there = useMemo(
    () =>
      equipment
        .filter(({ path }) => path !== "")
        .map(({ path, level, model }) => ({ path, level: level as string, model: model ?? null })),
    [equipment],
  );
  const places = placesOf(draft, there);
  const propertiesAt = (path: string | undefined): readonly Property[] => {
    const reference = places.find((one) => one.path === path)?.model ?? null;
    return models.find((model) => modelReference(model) === reference)?.properties ?? [];
  };
  const needle = filter.toLowerCase();
  const fitting = (tag: DraftTag): boolean =>
    needle === "" || `${tag.address} ${tag.name ?? ""}`.toLowerCase().includes(needle);
  const shown = draft.tags.filter(fitting);
  const change = (which: (tag: DraftTag) => boolean, edit: (tag: DraftTag) => DraftTag): void =>
    changeDraft({ tags: draft.tags.map((tag) => (which(tag) ? edit(tag) : tag)) });
  const put = (tag: DraftTag, path: string): DraftTag => {
    const { equipment: _, ...rest } = bound(tag, "");
    return path === "" ? rest : { ...rest, equipment: path };
  };
  const common = shown[0]?.equipment ?? "";
  const shared = shown.every((tag) => (tag.equipment ?? "") === common) ? common : null;
  const properties = shared === null ? [] : propertiesAt(shared);
  const match = (): void =>
    change(
      (tag) => fitting(tag) && boundProperty(tag) === "",
      (tag) => bound(tag, matchingProperty(tag, propertiesAt(tag.equipment)) ?? ""),
    );
  const takeModel = (path: string, model: Model): void => {
    const reference = modelReference(model);
    const isNew = draft.equipment.some((one) => one.path === path);
    const tags = draft.tags.map((tag) =>
      tag.equipment === path ? bound(tag, matchingProperty(tag, model.properties) ?? "") : tag,
    );
    changeDraft({
      models: [...draft.models.filter((one) => modelReference(one) !== reference), model],
      equipment: draft.equipment.map((one) => (one.path === path ? { ...one, model: reference } : one)),
      ...(isNew ? {} : { modelOf: { ...draft.modelOf, [path]: reference } }),
      tags,
    });
    setModelling(null);
  };

  if (draft.tags.length === 0)
    return (
      <EmptyState title={t("place.later")}>
        <p>{t("place.laterHint")}</p>
      </EmptyState>
    );
  return (
    <div className="place">
      <div className="toolbar">
        <input
          className="input filter"
          type="search"
          aria-label={t("list.filter")}
          placeholder={t("list.filter")}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <span className="count" role="status">
          {t("tags.count", { n: shown.length })}
        </span>
        <Field label={filter === "" ? t("place.all") : t("place.allShown", { n: shown.length })}>
          {(id) => (
            <PlaceSelect
              id={id}
              places={places}
              value={shared}
              onChange={(path) => change(fitting, (tag) => put(tag, path))}
            />
          )}
        </Field>
        <Button icon="plus" aria-expanded={creating} onClick={() => setCreating(!creating)}>
          {t("tree.create")}
        </Button>
      </div>
      {creating && (
        <NewEquipmentForm
          places={places}
          models={models}
          onCancel={() => setCreating(false)}
          onDone={(entries) => {
            const made = entries[entries.length - 1];
            setCreating(false);
            changeDraft({
              equipment: [...draft.equipment, ...entries],
              tags: draft.tags.map((tag) => (fitting(tag) ? put(tag, made.path) : tag)),
            });
          }}
        />
      )}
      {shared !== null && shared !== "" && (
        <p className="place-model">
          {properties.length === 0
            ? t("place.noModel", { name: shared })
            : t("place.model", { name: shared, n: properties.length })}{" "}
          {properties.length === 0 ? (
            <Button onClick={() => setModelling(shared)}>{t("place.makeModel")}</Button>
          ) : (
            <Button onClick={match}>{t("place.match")}</Button>
          )}
        </p>
      )}
      <div className="table-frame">
        <table className="plain edit-table">
          <caption className="unseen">{t("tags.title")}</caption>
          <thead>
            <tr>
              <th>{t("column.name")}</th>
              <th>{t("column.address")}</th>
              <th>{t("column.place")}</th>
              <th>{t("place.meaning")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, rowsShown).map((tag) => {
              const choices = propertiesAt(tag.equipment);
              const isThis = (one: DraftTag): boolean => one.address === tag.address;
              return (
                <tr key={tag.address}>
                  <td>
                    <input
                      className="input"
                      aria-label={t("tags.rename", { name: tag.address })}
                      placeholder={tag.address}
                      value={tag.name ?? ""}
                      onChange={(event) => {
                        const name = event.target.value;
                        change(isThis, ({ name: _, ...rest }) => (name === "" ? rest : { ...rest, name }));
                      }}
                    />
                  </td>
                  <td className="mono soft">{tag.address}</td>
                  <td>
                    <PlaceSelect
                      label={t("place.of", { name: tag.name ?? tag.address })}
                      places={places}
                      value={tag.equipment ?? ""}
                      onChange={(path) => change(isThis, (one) => put(one, path))}
                    />
                  </td>
                  <td>
                    {choices.length === 0 ? (
                      <span className="dim">{t("place.noMeaning")}</span>
                    ) : (
                      <select
                        className="input"
                        aria-label={t("place.meaningOf", { name: tag.name ?? tag.address })}
                        value={boundProperty(tag)}
                        onChange={(event) => change(isThis, (one) => bound(one, event.target.value))}
                      >
                        <option value="">{t("place.noMeaning")}</option>
                        {choices.map(({ name, kind, unit }) => (
                          <option key={name} value={name}>
                            {name} · {t(`propertyKind.${kind}`)}
                            {unit === undefined ? "" : ` · ${unit}`}
                          </option>
                        ))}
                      </select>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {shown.length > rowsShown && <p className="footnote">{t("list.more", { n: shown.length - rowsShown })}</p>}
      {modelling !== null && (
        <ModelDialog
          tags={draft.tags.filter((tag) => tag.equipment === modelling)}
          taken={models.map(modelReference)}
          suggested={modelling.split("/").at(-1) ?? ""}
          onClose={() => setModelling(null)}
          onDone={(model) => takeModel(modelling, model)}
        />
      )}
    </div>
  );
}

/** Equipment to choose from; null stands for several at once. */
export function PlaceSelect(props: {
  id?: string;
  label?: string;
  places: readonly Place[];
  value: string | null;
  onChange(path: string): void;
}) {
  return (
    <select
      id={props.id}
      className="input"
      aria-label={props.label}
      value={props.value ?? "*"}
      onChange={(event) => props.onChange(event.target.value)}
    >
      {props.value === null && (
        <option value="*" disabled>
          {t("place.several")}
        </option>
      )}
      <option value="">{t("tags.unassigned")}</option>
      {props.places.map(({ path, level }) => (
        <option key={path} value={path}>
          {path} · {t(`level.${level as "site"}`)}
        </option>
      ))}
    </select>
  );
}
