import type { ConfigurationRevision } from "@lineshaft/contract/api";
import { useState } from "react";
import { ageText, Button, EmptyState } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { isCode, ProblemView } from "../problem.tsx";
import { go, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { fault } from "../toasts.tsx";
import { useLoaded, useNow } from "../use.ts";
import { ChangeDialog } from "./change-dialog.tsx";
import { withPresentPaths } from "./going-back.ts";
import { ImportView } from "./import.tsx";
import { RevisionDiff } from "./revision-diff.tsx";
import { readConfiguration, readYaml } from "./service.ts";

const pageSize = 50;
const againMs = 10_000;

export function ConfigurationPage() {
  const { query } = usePlace();
  if (!allowed("configure"))
    return (
      <EmptyState title={t("configuration.notYours")}>
        <p>{t("configuration.notYoursHint")}</p>
      </EmptyState>
    );
  if (query.get("view") === "import") return <ImportView />;
  return <Revisions chosen={query.get("revision") === null ? null : Number(query.get("revision"))} />;
}

/** All changes, newest first; each can be looked at, gone back to, and the newest undone. */
function Revisions({ chosen }: { chosen: number | null }) {
  const [most, setMost] = useState(pageSize);
  const list = useLoaded(
    `revisions ${most}`,
    (signal) => call("listConfigurationRevisions", { query: { limit: most }, signal }),
    againMs,
  );
  const now = useNow();
  const [backTo, setBackTo] = useState<{ revision: number; title: string } | null>(null);
  const items = list.data?.items ?? [];
  const newest = items[0];
  const at = items.find(({ revision }) => revision === chosen) ?? (chosen === null ? newest : undefined);
  // A change may count several revisions of the registry: what was before is the one below it in the list.
  const before = (item: ConfigurationRevision): number =>
    items[items.indexOf(item) + 1]?.revision ?? (list.data?.cursor == null ? 0 : item.revision - 1);
  const goBack = (revision: number, title: string): void => setBackTo({ revision, title });
  return (
    <div className="configuration">
      <section className="revisions" aria-label={t("revisions.title")}>
        <div className="toolbar">
          <h2>{t("revisions.title")}</h2>
          <Button onClick={() => void download()} title={t("configuration.exportHint")}>
            {t("configuration.export")}
          </Button>
          <Button onClick={() => go("configuration", { view: "import" })}>{t("configuration.import")}</Button>
        </div>
        {list.error !== null && <ProblemView error={list.error} />}
        {list.data === null && list.error === null && <p className="quiet-wait">{t("wait.revisions")}</p>}
        {list.data !== null && items.length === 0 && (
          <EmptyState title={t("revisions.none")}>
            <p>{t("revisions.noneHint")}</p>
          </EmptyState>
        )}
        {items.map((item) => (
          <button
            key={item.revision}
            type="button"
            className="group-row revision-row"
            aria-pressed={item === at}
            onClick={() => go("configuration", { revision: item.revision }, "replace")}
          >
            <span className="group-title">{t("revisions.one", { revision: item.revision })}</span>
            <span className="group-count">{t("revisions.changes", { n: item.changes })}</span>
            <span className="group-where soft">{item.actor}</span>
            <span className="group-count soft" title={fmt.exact(item.changedUs)}>
              {t("connections.ago", { age: ageText(now - item.changedUs, fmt) })}
            </span>
          </button>
        ))}
        {list.data?.cursor != null && (
          <Button kind="quiet" onClick={() => setMost(most + 200)}>
            {t("revisions.older")}
          </Button>
        )}
      </section>
      {at !== undefined && newest !== undefined && (
        <section className="revision" aria-label={t("revisions.one", { revision: at.revision })}>
          <div className="toolbar">
            <h2>{t("revisions.one", { revision: at.revision })}</h2>
            <span className="soft">{t("revisions.by", { who: at.actor, time: fmt.dateTime(at.changedUs) })}</span>
            <span className="spring" />
            {at === newest ? (
              before(at) >= 1 && (
                <Button
                  kind="main"
                  onClick={() => goBack(before(at), t("revisions.undoing", { revision: at.revision }))}
                >
                  {t("revisions.undo")}
                </Button>
              )
            ) : (
              <Button onClick={() => goBack(at.revision, t("revisions.goingBack", { revision: at.revision }))}>
                {t("revisions.goBack")}
              </Button>
            )}
          </div>
          <RevisionDiff key={at.revision} revision={at.revision} before={before(at)} />
        </section>
      )}
      {backTo !== null && (
        <ChangeDialog
          title={backTo.title}
          edit={async (current) => {
            const { configuration } = await readConfiguration(backTo.revision);
            return { value: await withPresentPaths(configuration, current, presentPath) };
          }}
          onClose={(done) => {
            setBackTo(null);
            list.reload();
            if (done) go("configuration", {}, "replace");
          }}
        />
      )}
    </div>
  );
}

/** Former paths are understood where equipment is looked for. */
async function presentPath(path: string): Promise<string | null> {
  try {
    const { items } = await call("listEquipment", { query: { under: path, limit: 1 } });
    return items[0]?.path ?? null;
  } catch (error) {
    if (isCode(error, "not_found") || isCode(error, "reference_unknown")) return null;
    throw error;
  }
}

/** The configuration as a file, as `lineshaft export` writes it. */
async function download(): Promise<void> {
  try {
    const text = await readYaml();
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    anchor.download = "plant.yaml";
    anchor.click();
    window.setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
  } catch (error) {
    fault(error, t("configuration.exportFailed"));
  }
}
