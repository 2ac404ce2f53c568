import type { Session } from "@lineshaft/contract/api";
import { lazy, type ReactNode, Suspense } from "react";
import { type ConsolePage, makeFormat, type PageContext, type PageTrendProps } from "../kit/index.ts";
import { nowUs } from "./feed.ts";
import { fmt, getLocale, t } from "./i18n.ts";
import { call, openStream } from "./platform.ts";
import { ProblemView } from "./problem.tsx";
import { go, link, usePlace } from "./router.ts";
import { allowed } from "./session.ts";
import { fault, note } from "./toasts.tsx";

const LazyTrend = lazy(() => import("./pages/page-trend.tsx").then((m) => ({ default: m.PageTrend })));

function Trend(props: PageTrendProps): ReactNode {
  return (
    <Suspense fallback={<p className="quiet-wait">{t("wait.page")}</p>}>
      <LazyTrend {...props} />
    </Suspense>
  );
}

const platform = { call, follow: openStream };
const zoned = new Map<string, ReturnType<typeof makeFormat>>();

function formatIn(timeZone: string): ReturnType<typeof makeFormat> {
  const key = `${fmt.locale} ${timeZone}`;
  const known = zoned.get(key);
  if (known !== undefined) return known;
  const format = makeFormat(fmt.locale, timeZone);
  zoned.set(key, format);
  return format;
}

/** A page of an application, with all that it may know of the console around it. */
export function PageHost({ page, session }: { page: ConsolePage; session: Session }) {
  const { query } = usePlace();
  const context: PageContext = {
    page: page.path,
    query,
    go,
    link,
    platform,
    session,
    may: allowed,
    locale: getLocale(),
    format: fmt,
    formatIn,
    nowUs,
    note,
    fault,
    Problem: ProblemView,
    Trend,
  };
  return <page.Body context={context} />;
}
