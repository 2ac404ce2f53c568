import { type Model, type Property, propertyKinds } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog, TextField } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import type { DraftTag } from "./draft.ts";
import { modelFrom, modelReference, propertyName } from "./models.ts";

const kindsOfCounts = ["good", "scrap", "rework", "total"] as const;

/** A model from the tags of one machine: proposed by their names, corrected by a person. */
export function ModelDialog(props: {
  tags: readonly DraftTag[];
  taken: readonly string[];
  suggested: string;
  onClose(): void;
  onDone(model: Model): void;
}) {
  const [name, setName] = useState(() => propertyName(props.suggested.replace(/\d+$/, "")));
  const [version, setVersion] = useState("1.0.0");
  const [properties, setProperties] = useState<Property[]>(() => modelFrom("model", props.tags).properties);
  const reference = modelReference({ name, version });
  const change = (at: number, part: Partial<Property>): void =>
    setProperties(properties.map((one, i) => (i === at ? { ...one, ...part } : one)));
  const nameFault = !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)
    ? t("model.nameInvalid")
    : props.taken.includes(reference)
      ? t("model.taken", { model: reference })
      : null;
  const sound =
    nameFault === null &&
    /^\d+\.\d+\.\d+$/.test(version) &&
    properties.length > 0 &&
    properties.every((one) => /^[A-Za-z][A-Za-z0-9_]*$/.test(one.name)) &&
    new Set(properties.map((one) => one.name)).size === properties.length;
  return (
    <Dialog title={t("model.title")} closeLabel={t("close")} onClose={props.onClose} wide>
      <p className="soft">{t("model.what")}</p>
      <div className="model-head">
        <TextField label={t("model.name")} value={name} onChange={setName} fault={nameFault} />
        <TextField
          label={t("model.version")}
          value={version}
          onChange={setVersion}
          fault={/^\d+\.\d+\.\d+$/.test(version) ? null : t("model.versionInvalid")}
        />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a region of a table, no fieldset */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and must by keyboard too */}
      <div className="plan-items" role="group" aria-label={t("model.properties")} tabIndex={0}>
        <table className="plain edit-table">
          <caption className="unseen">{t("model.properties")}</caption>
          <thead>
            <tr>
              <th>{t("model.property")}</th>
              <th>{t("model.kind")}</th>
              <th>{t("model.counts")}</th>
              <th>{t("column.unit")}</th>
              <th>
                <span className="unseen">{t("list.remove")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {properties.map((property, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: names change while they are typed
              <tr key={i}>
                <td>
                  <input
                    className="input"
                    aria-label={t("model.propertyName", { n: i + 1 })}
                    value={property.name}
                    onChange={(event) => change(i, { name: event.target.value })}
                  />
                </td>
                <td>
                  <select
                    className="input"
                    aria-label={t("model.kindOf", { name: property.name })}
                    value={property.kind}
                    onChange={(event) => change(i, { kind: event.target.value as Property["kind"] })}
                  >
                    {propertyKinds.map((kind) => (
                      <option key={kind} value={kind}>
                        {t(`propertyKind.${kind}`)}
                      </option>
                    ))}
                  </select>
                </td>
                <td>
                  {(property.kind === "counter" || property.kind === "pulse") && (
                    <select
                      className="input"
                      aria-label={t("model.countsOf", { name: property.name })}
                      value={property.counts ?? "total"}
                      onChange={(event) => change(i, { counts: event.target.value as Property["counts"] })}
                    >
                      {kindsOfCounts.map((one) => (
                        <option key={one} value={one}>
                          {t(`counts.${one}`)}
                        </option>
                      ))}
                    </select>
                  )}
                </td>
                <td className="soft">{property.unit ?? ""}</td>
                <td className="right">
                  <Button
                    kind="quiet"
                    icon="close"
                    aria-label={t("model.removeProperty", { name: property.name })}
                    onClick={() => setProperties(properties.filter((_, at) => at !== i))}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="form-buttons">
        <Button
          kind="main"
          disabled={!sound}
          onClick={() => props.onDone({ name, version, properties: properties.map(withCounts) })}
        >
          {t("model.use")}
        </Button>
        <Button kind="quiet" onClick={props.onClose}>
          {t("cancel")}
        </Button>
      </div>
    </Dialog>
  );
}

/** Counters say what they count; nothing else does. */
function withCounts({ counts, ...property }: Property): Property {
  const counting = property.kind === "counter" || property.kind === "pulse";
  return counting ? { ...property, counts: counts ?? "total" } : property;
}
