import { Button, type PageContext } from "@lineshaft/ui/kit";
import { type FormEvent, useState } from "react";
import type { NowView } from "./now-feed.ts";
import { setTarget, usualTarget } from "./target.ts";
import type { Say } from "./texts.ts";
import type { Plant } from "./use-plant.ts";

/** What OEE should reach in the place that is shown, and its change for those who may. */
export function TargetField(props: { place: number | null; plant: Plant; now: NowView; context: PageContext; t: Say }) {
  const { place, plant, now, context, t } = props;
  const { format } = context;
  const [draft, setDraft] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  // Who sees a part of the plant only has no enterprise: the first site stands for what is seen.
  const whole = plant.equipment.find(({ level }) => level === "enterprise") ?? plant.sites[0].equipment;
  const where = plant.equipment.find(({ id }) => id === place) ?? whole;
  const said = now.items.get(where.id)?.item.targets.oeeIndex;
  const value = said ?? usualTarget;
  const name = where.level === "enterprise" ? t("overview.everywhere") : where.name;
  if (draft === null)
    return (
      <p className="overview-target">
        {t("overview.target")} <b>{format.percent(value)}</b>
        {said === undefined && <span title={t("overview.targetUsualHint")}> {t("overview.targetUsual")}</span>}
        {context.may("configure") && (
          <Button
            kind="quiet"
            icon="pencil"
            title={t("overview.targetChange", { place: name })}
            aria-label={t("overview.targetChange", { place: name })}
            onClick={() => setDraft(String(Math.round(value * 1000) / 10))}
          />
        )}
      </p>
    );
  const wanted = Number(draft.replace(",", ".")) / 100;
  const isValid = wanted > 0 && wanted <= 1;
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!isValid) return;
    setSaving(true);
    try {
      await setTarget(context, where.id, wanted);
      context.note(t("overview.targetSet", { place: name, share: format.percent(wanted) }));
      setDraft(null);
    } catch (error) {
      context.fault(error, t("overview.targetFailed", { place: name }));
    } finally {
      setSaving(false);
    }
  };
  return (
    <form className="overview-target" onSubmit={(event) => void save(event)}>
      <label>
        {t("overview.targetFor", { place: name })}{" "}
        <input
          className="input"
          inputMode="decimal"
          // biome-ignore lint/a11y/noAutofocus: it was asked for just now
          autoFocus
          value={draft}
          aria-invalid={!isValid}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
          }}
        />{" "}
        %
      </label>
      <Button type="submit" kind="main" disabled={!isValid || saving}>
        {t("overview.targetSave")}
      </Button>
      <Button kind="quiet" onClick={() => setDraft(null)}>
        {t("overview.targetCancel")}
      </Button>
    </form>
  );
}
