import { EmptyState, type PageContext } from "@lineshaft/ui/kit";
import type { Say } from "./texts.ts";

/** What these pages are, and the way to begin. */
export function NoMachines({ context, t }: { context: PageContext; t: Say }) {
  return (
    <EmptyState title={t("machine.none")}>
      <p>{t("machine.noneHint")}</p>
      {context.may("configure") && (
        <a className="button button-main" {...context.link("connections", { add: "kind" })}>
          {t("machine.connect")}
        </a>
      )}
    </EmptyState>
  );
}
