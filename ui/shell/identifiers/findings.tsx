import { useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { equipmentPath } from "../master-data/effect-view.tsx";
import { call } from "../platform.ts";
import { useLoaded } from "../use.ts";

const everyMs = 15_000;

/** Values that machines tell and nobody knows; nothing where all are known. */
export function Findings() {
  const [open, setOpen] = useState(false);
  const found = useLoaded("identifier findings", async () => (await call("listIdentifierFindings")).items, everyMs);
  const items = found.data ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <Button icon="tag" onClick={() => setOpen(true)}>
        {t("identifier.findings", { n: items.length })}
      </Button>
      {open && (
        <Dialog
          title={t("identifier.findings", { n: items.length })}
          closeLabel={t("close")}
          onClose={() => setOpen(false)}
          className="dialog-broad"
        >
          <p className="soft">{t("identifier.findingsHint")}</p>
          <ul className="finding-list">
            {items.map((one) => (
              <li key={JSON.stringify([one.equipmentId, one.code, one.dimension, one.value, one.id])}>
                <b>{one.value}</b>
                {one.id !== null && one.id !== one.value && <> → {one.id}</>} · {t(`identifier.code.${one.code}`)}{" "}
                <span className="soft">
                  {equipmentPath(one.equipmentId)} · {one.property} · {t("identifier.times", { n: one.times })} ·{" "}
                  {t("identifier.last", { time: fmt.dateTime(one.lastFromUs) })}
                </span>
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
  );
}
