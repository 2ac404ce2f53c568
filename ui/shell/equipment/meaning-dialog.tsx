import type { BindingEntry, Configuration, Property, RawTag, TagEntry } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog, EmptyState, Field } from "../../kit/index.ts";
import { ChangeDialog } from "../configuration/change-dialog.tsx";
import { changedTag, withBindings } from "../configuration/editing.ts";
import { readConfiguration } from "../configuration/service.ts";
import { tagName, useDirectory } from "../directory.ts";
import { nowUs } from "../feed.ts";
import { t } from "../i18n.ts";
import { modelReference } from "../machines/models.ts";
import { boundTo, namedBy } from "../mapping/conditions.ts";
import { ConditionsView } from "../mapping/conditions-view.tsx";
import { MappingEditor } from "../mapping/editor.tsx";
import { IdentifierView } from "../mapping/identifier-view.tsx";
import { isMapped, type MappedKind } from "../mapping/meaning.ts";
import { ProblemView } from "../problem.tsx";
import { useLoaded } from "../use.ts";
import { fromLocalTime, toLocalTime } from "./local-time.ts";

const entryOf = (configuration: Configuration, tag: RawTag): TagEntry | undefined =>
  configuration.connections
    ?.find(({ name }) => name === tag.connection)
    ?.tags?.find(({ address }) => address === tag.address);

/** What a tag means: which property of which equipment, and since when. */
export function MeaningDialog({ tag, onClose }: { tag: RawTag; onClose(): void }) {
  const current = useLoaded(
    `meaning ${tag.id}`,
    async (signal) => (await readConfiguration(undefined, signal)).configuration,
  );
  if (current.data === null)
    return (
      <Dialog title={t("meaning.title", { name: tagName(tag) })} closeLabel={t("close")} onClose={onClose}>
        {current.error === null ? (
          <p className="quiet-wait">{t("wait.meaning")}</p>
        ) : (
          <ProblemView error={current.error} />
        )}
      </Dialog>
    );
  return <Meanings tag={tag} configuration={current.data} onClose={onClose} />;
}

function Meanings(props: { tag: RawTag; configuration: Configuration; onClose(): void }) {
  const { tag, configuration, onClose } = props;
  const { equipmentById } = useDirectory();
  const own = tag.equipmentId === null ? undefined : equipmentById.get(tag.equipmentId);
  const [bindings, setBindings] = useState<readonly BindingEntry[]>(() => entryOf(configuration, tag)?.bind ?? []);
  const [planning, setPlanning] = useState(false);
  /** A state that is to be told by conditions from now on. */
  const [conditioned, setConditioned] = useState<Property | null>(null);
  /** Of which binding it is edited what the values mean. */
  const [mapping, setMapping] = useState<number | null>(null);
  const places = (configuration.equipment ?? []).filter(({ model }) => model !== undefined);
  const propertiesOf = (path: string | undefined): readonly Property[] => {
    const entry = configuration.equipment?.find((one) => one.path === (path ?? own?.path));
    return configuration.models?.find((one) => modelReference(one) === entry?.model)?.properties ?? [];
  };
  // What conditions tell has no tag of its own.
  const propertiesAt = (path: string | undefined): string[] =>
    propertiesOf(path).flatMap(({ name, conditions }) => (conditions === undefined ? [name] : []));
  const mappedAt = (binding: BindingEntry | undefined): (Property & { kind: MappedKind }) | null => {
    const property = propertiesOf(binding?.equipment).find(({ name }) => name === binding?.property);
    return property !== undefined && isMapped(property.kind) ? { ...property, kind: property.kind } : null;
  };
  const isIdentifier = ({ equipment, property }: BindingEntry): boolean =>
    propertiesOf(equipment).some(({ name, kind }) => name === property && kind === "identifier");
  const change = (at: number, part: Partial<BindingEntry>): void =>
    setBindings(
      bindings.map((one, i) => {
        if (i !== at) return one;
        const next = { ...one, ...part };
        // A table of states says nothing of a counter.
        return cleaned(mappedAt(next)?.kind === mappedAt(one)?.kind ? next : { ...next, mapping: undefined });
      }),
    );
  /** States that follow from the tag's values together with others'. */
  const told = [...Map.groupBy(bindings, ({ equipment }) => equipment ?? own?.path ?? "")].flatMap(([path, those]) =>
    propertiesOf(path)
      .filter((one) => namedBy(one, propertiesOf(path)).some(({ name }) => those.some((b) => b.property === name)))
      .map((property) => ({ path, property })),
  );
  // A state that no tag tells here can follow from several.
  const free = propertiesOf(undefined).filter(
    ({ name, kind, conditions }) =>
      (kind === "itemState" || kind === "operationMode") &&
      conditions === undefined &&
      boundTo(configuration, own?.path ?? "", name, nowUs()) === null &&
      !bindings.some(({ property }) => property === name),
  );
  const first = places.find(({ path }) => path === own?.path) ?? places[0];
  const add = (): void => {
    const elsewhere = first.path === own?.path ? {} : { equipment: first.path };
    setBindings([...bindings, { property: propertiesAt(first.path)[0] ?? "", ...elsewhere }]);
  };
  if (conditioned !== null)
    return (
      <ConditionsView
        configuration={configuration}
        path={own?.path ?? ""}
        property={conditioned}
        properties={propertiesOf(undefined)}
        onChanged={() => setConditioned(null)}
      />
    );
  if (planning)
    return (
      <ChangeDialog
        title={t("meaning.title", { name: tagName(tag) })}
        edit={(now) => ({
          value: changedTag(now, tag.connection, tag.address, (entry) => withBindings(entry, bindings)),
        })}
        onClose={(done) => (done ? onClose() : setPlanning(false))}
      />
    );
  const mapped = mapping === null ? undefined : bindings[mapping];
  const property = mappedAt(mapped);
  if (mapped !== undefined && isIdentifier(mapped))
    return (
      <IdentifierView
        tag={tag}
        property={mapped.property}
        path={mapped.equipment ?? own?.path ?? ""}
        onBack={() => setMapping(null)}
      />
    );
  if (mapped !== undefined && property !== null)
    return (
      <MappingEditor
        tag={tag}
        property={property}
        path={mapped.equipment ?? own?.path ?? ""}
        binding={mapped}
        saved={entryOf(configuration, tag)?.bind?.find(
          ({ property: of, equipment, validFrom }) =>
            of === mapped.property && equipment === mapped.equipment && validFrom === mapped.validFrom,
        )}
        onBack={() => setMapping(null)}
        onDone={(next) => {
          setBindings(bindings.flatMap((one, i) => (i === mapping ? next : [one])));
          setMapping(null);
          setPlanning(true);
        }}
      />
    );
  return (
    <Dialog
      title={t("meaning.title", { name: tagName(tag) })}
      closeLabel={t("close")}
      onClose={onClose}
      className="meaning-dialog"
    >
      <p className="soft">{t("meaning.what")}</p>
      {places.length === 0 && (
        <EmptyState title={t("meaning.noModels")}>
          <p>{t("meaning.noModelsHint")}</p>
        </EmptyState>
      )}
      {bindings.map((binding, i) => {
        const properties = propertiesAt(binding.equipment);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: places in a list have no other name
          <div key={i} className="meaning-row">
            <Field label={t("column.place")}>
              {(id) => (
                <select
                  id={id}
                  className="input"
                  value={binding.equipment ?? own?.path ?? ""}
                  onChange={(event) => {
                    const path = event.target.value;
                    const property = propertiesAt(path)[0] ?? "";
                    change(i, { equipment: path === own?.path ? undefined : path, property });
                  }}
                >
                  {binding.equipment === undefined && own === undefined && <option value="">–</option>}
                  {places.map(({ path }) => (
                    <option key={path}>{path}</option>
                  ))}
                </select>
              )}
            </Field>
            <Field label={t("model.property")}>
              {(id) => (
                <select
                  id={id}
                  className="input"
                  value={binding.property}
                  onChange={(event) => change(i, { property: event.target.value })}
                >
                  {!properties.includes(binding.property) && <option>{binding.property}</option>}
                  {properties.map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              )}
            </Field>
            {(["validFrom", "validTo"] as const).map((end) => (
              <Field key={end} label={t(`meaning.${end}`)}>
                {(id) => (
                  <input
                    id={id}
                    type="datetime-local"
                    step="1"
                    className="input"
                    value={toLocalTime(binding[end])}
                    onChange={(event) => change(i, { [end]: fromLocalTime(event.target.value) })}
                  />
                )}
              </Field>
            ))}
            <Button
              icon="pencil"
              disabled={mappedAt(binding) === null && !isIdentifier(binding)}
              aria-label={t("mapping.editOf", { property: binding.property })}
              onClick={() => setMapping(i)}
            >
              {t("mapping.edit")}
            </Button>
            <Button
              kind="quiet"
              icon="close"
              aria-label={t("meaning.remove", { n: i + 1 })}
              onClick={() => setBindings(bindings.filter((_, at) => at !== i))}
            />
          </div>
        );
      })}
      {told.map(({ path, property }) => (
        <ConditionsView
          key={`${path} ${property.name}`}
          configuration={configuration}
          path={path}
          property={property}
          properties={propertiesOf(path)}
          onChanged={onClose}
        />
      ))}
      {bindings.length === 0 && places.length > 0 && <p className="soft">{t("meaning.none")}</p>}
      <div className="form-buttons">
        <Button kind="main" onClick={() => setPlanning(true)}>
          {t("import.plan")}
        </Button>
        {first !== undefined && (
          <Button icon="plus" onClick={add}>
            {t("meaning.add")}
          </Button>
        )}
        {free.map((property) => (
          <Button key={property.name} onClick={() => setConditioned(property)}>
            {t("conditions.begin", { property: property.name })}
          </Button>
        ))}
        <Button kind="quiet" onClick={onClose}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}

/** What is not said is not there. */
function cleaned({ property, equipment, validFrom, validTo, mapping }: BindingEntry): BindingEntry {
  return {
    property,
    ...(equipment ? { equipment } : {}),
    ...(validFrom ? { validFrom } : {}),
    ...(validTo ? { validTo } : {}),
    ...(mapping ? { mapping } : {}),
  };
}
