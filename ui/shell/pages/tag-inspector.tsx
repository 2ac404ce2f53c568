import { nameFault, qualityOf, type RawTag } from "@lineshaft/contract/api";
import { type FormEvent, lazy, type ReactNode, Suspense, useState } from "react";
import {
  ageText,
  Button,
  CopyBlock,
  formatStatus,
  QualityMark,
  TextField,
  unitText,
  valueText,
} from "../../kit/index.ts";
import { changeTag, tagName, tagPlace, useDirectory } from "../directory.ts";
import { fmt, t } from "../i18n.ts";
import { copyLabels } from "../problem.tsx";
import { link } from "../router.ts";
import { allowed } from "../session.ts";
import { useLive, useNow } from "../use.ts";
import { isStale } from "./tag-columns.tsx";

// The chart is not needed before somebody looks at one tag.
const TagTrend = lazy(() => import("./tag-trend.tsx").then((m) => ({ default: m.TagTrend })));
const MeaningDialog = lazy(() => import("../equipment/meaning-dialog.tsx").then((m) => ({ default: m.MeaningDialog })));

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** One tag in full: its value with its worth, where it comes from, and what people said about it. */
export function TagInspector(props: { tag: RawTag; onClose(): void; onTrend(): void; onAssign(): void }) {
  const { tag } = props;
  const value = useLive(tag.id);
  const now = useNow();
  const { pending } = useDirectory();
  const configure = allowed("configure");
  const [editing, setEditing] = useState(false);
  const [meaning, setMeaning] = useState(false);
  const stale = isStale(value, now, tag.connection);
  const has = value?.time != null;
  return (
    <aside className="inspector" aria-label={t("inspector.title")}>
      <header className="panel-head">
        <h2>{tagName(tag)}</h2>
        <Button kind="quiet" icon="close" aria-label={t("close")} onClick={props.onClose} />
      </header>
      <div className={`reading ${has && qualityOf(value.status) === "bad" ? "bad" : ""}`}>
        <span className="reading-value">
          {!has ? (
            "–"
          ) : value.value === "" ? (
            <span className="dim">{t("tags.empty")}</span>
          ) : (
            valueText(value.value, fmt, value.type === "double" ? value.digits : undefined)
          )}
        </span>
        <span className="reading-unit">{unitText(tag.unit)}</span>
      </div>
      <p className="reading-note">
        {has ? (
          <>
            <QualityMark quality={qualityOf(value.status)} label={t(`quality.${qualityOf(value.status)}`)} />
            <span className={stale ? "stale" : ""}>
              {t("inspector.ago", { age: ageText(now - (value.time ?? now), fmt) })}
            </span>
          </>
        ) : (
          t("inspector.noValue")
        )}
      </p>
      <div className="tag-trend">
        <Suspense fallback={null}>
          <TagTrend tag={tag} />
        </Suspense>
      </div>
      {meaning && (
        <Suspense fallback={null}>
          <MeaningDialog tag={tag} onClose={() => setMeaning(false)} />
        </Suspense>
      )}
      <div className="inspector-buttons">
        <Button kind="main" icon="trends" onClick={props.onTrend}>
          {t("inspector.trend")}
        </Button>
        {configure && (
          <>
            <Button icon="equipment" onClick={props.onAssign}>
              {t("tags.assign")}
            </Button>
            <Button icon="pencil" aria-expanded={editing} onClick={() => setEditing(!editing)}>
              {t("inspector.edit")}
            </Button>
            <Button icon="tag" onClick={() => setMeaning(true)}>
              {t("meaning.button")}
            </Button>
          </>
        )}
      </div>
      {editing && (
        <EditForm key={tag.revision} tag={tag} busy={pending.has(`tag:${tag.id}`)} onDone={() => setEditing(false)} />
      )}
      <dl className="facts">
        <Row label={t("column.place")}>
          {tag.equipmentId === null ? (
            <span className="dim">{t("tags.unassigned")}</span>
          ) : (
            <a {...link("equipment", { node: `e:${tag.equipmentId}` })}>{tagPlace(tag).replaceAll("/", " / ")}</a>
          )}
        </Row>
        <Row label={t("column.connection")}>
          <a {...link("connections", { name: tag.connection })}>{tag.connection}</a>
        </Row>
        {has && (
          <>
            <Row label={t("inspector.sourceTime")}>{fmt.exact(value.time ?? 0)}</Row>
            <Row label={t("column.quality")}>{formatStatus(value.status)}</Row>
            <Row label={t("column.type")}>{value.type}</Row>
          </>
        )}
        {has && value.rate !== null && value.rate > 0 && <Row label={t("column.rate")}>{fmt.rate(value.rate)}</Row>}
        {tag.sourceUnit !== null && tag.sourceUnit !== tag.unit && (
          <Row label={t("inspector.sourceUnit")}>{unitText(tag.sourceUnit)}</Row>
        )}
        <Row label={t("column.id")}>{tag.id}</Row>
        <Row label={t("inspector.registered")}>{fmt.dateTime(tag.registeredUs)}</Row>
        <Row label={t("inspector.revision")}>{tag.revision}</Row>
      </dl>
      <h3>{t("column.address")}</h3>
      <CopyBlock text={tag.address} labels={copyLabels()} label={t("column.address")} narrow />
    </aside>
  );
}

function EditForm({ tag, busy, onDone }: { tag: RawTag; busy: boolean; onDone(): void }) {
  const [name, setName] = useState(tag.name ?? "");
  const [unit, setUnit] = useState(tag.unit ?? "");
  const fault = name === "" ? null : nameFault(name.trim());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onDone();
    const said = { name: name.trim() || null, unit: unit.trim() || null };
    // A unit that the source told and nobody touched is no decision.
    const { unit: _, ...withoutUnit } = said;
    void changeTag(tag, said.unit === tag.unit ? withoutUnit : said);
  };
  return (
    <form className="create-form" onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onDone()}>
      <TextField
        label={t("inspector.name")}
        value={name}
        onChange={setName}
        placeholder={tag.address}
        fault={fault === null ? null : t("name.invalid")}
        hint={t("inspector.nameHint")}
      />
      <TextField
        label={t("inspector.unit")}
        value={unit}
        onChange={setUnit}
        placeholder="Cel, kg, mm/s, %"
        hint={t("inspector.unitHint")}
      />
      <div className="form-buttons">
        <Button kind="main" type="submit" disabled={busy || fault !== null}>
          {t("save")}
        </Button>
        <Button kind="quiet" onClick={onDone}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}
