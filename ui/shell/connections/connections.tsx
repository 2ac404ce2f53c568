import { lazy, Suspense } from "react";
import { useDirectory } from "../directory.ts";
import { t } from "../i18n.ts";
import { steps } from "../machines/draft.ts";
import { usePlace } from "../router.ts";
import { ConnectionDetail } from "./detail.tsx";
import { ConnectionList } from "./list.tsx";

const Wizard = lazy(() => import("../machines/wizard.tsx").then((m) => ({ default: m.Wizard })));

/** The list, one connection, or the way to a new one: the address says which. */
export function ConnectionsPage() {
  const { query } = usePlace();
  const { state, connectionByName } = useDirectory("connections");
  const step = steps.find((one) => one === query.get("add"));
  if (step !== undefined)
    return (
      <Suspense fallback={<p className="quiet-wait">{t("wait.page")}</p>}>
        <Wizard step={step} />
      </Suspense>
    );
  if (state === "loading") return <p className="quiet-wait">{t("wait.connections")}</p>;
  const name = query.get("name");
  if (name === null) return <ConnectionList />;
  return <ConnectionDetail key={name} name={name} connection={connectionByName.get(name) ?? null} />;
}
