import type { Session } from "@lineshaft/contract/api";
import { Component, lazy, type ReactNode, Suspense, useEffect, useRef, useSyncExternalStore } from "react";
import { Button, Icon, type IconName } from "../kit/index.ts";
import { contributedPage } from "./contributions.ts";
import { startDirectory, useDirectoryError } from "./directory.ts";
import { startFeed } from "./feed.ts";
import { startHealth } from "./health.ts";
import { HealthMark } from "./health-strip.tsx";
import { getLocale, observeLocale, type PlainKey, t } from "./i18n.ts";
import { Overlays, openOverlay, startShortcuts } from "./overlays.tsx";
import { PageHost } from "./page-host.tsx";
import { ProblemView } from "./problem.tsx";
import { Rail, railGroups } from "./rail.tsx";
import { type Page, usePlace } from "./router.ts";
import { askSession, type SessionState, useSession } from "./session.ts";
import { SignIn } from "./sign-in.tsx";
import { Toasts } from "./toasts.tsx";
import { UserMenu } from "./user-menu.tsx";

// What is not on the first page is loaded when it is wanted.
const EquipmentPage = lazy(() => import("./pages/equipment.tsx").then((m) => ({ default: m.EquipmentPage })));
const TrendsPage = lazy(() => import("./pages/trends.tsx").then((m) => ({ default: m.TrendsPage })));
const OrdersPage = lazy(() => import("./orders/orders.tsx").then((m) => ({ default: m.OrdersPage })));
const CalendarPage = lazy(() => import("./calendar/calendar.tsx").then((m) => ({ default: m.CalendarPage })));
const MaterialsPage = lazy(() => import("./materials/materials.tsx").then((m) => ({ default: m.MaterialsPage })));
const ConnectionsPage = lazy(() =>
  import("./connections/connections.tsx").then((m) => ({ default: m.ConnectionsPage })),
);
const ConfigurationPage = lazy(() =>
  import("./configuration/configuration.tsx").then((m) => ({ default: m.ConfigurationPage })),
);
const RejectedPage = lazy(() => import("./pages/rejected.tsx").then((m) => ({ default: m.RejectedPage })));
const SystemPage = lazy(() => import("./pages/system.tsx").then((m) => ({ default: m.SystemPage })));

/** The console's own pages; contributed ones tell the same of themselves. */
const own: Record<Page, { icon: IconName; title: PlainKey; Body: React.ComponentType }> = {
  equipment: { icon: "equipment", title: "page.equipment", Body: EquipmentPage },
  trends: { icon: "trends", title: "page.trends", Body: TrendsPage },
  orders: { icon: "orders", title: "page.orders", Body: OrdersPage },
  calendar: { icon: "calendar", title: "page.calendar", Body: CalendarPage },
  materials: { icon: "materials", title: "page.materials", Body: MaterialsPage },
  connections: { icon: "connections", title: "page.connections", Body: ConnectionsPage },
  configuration: { icon: "configuration", title: "page.configuration", Body: ConfigurationPage },
  rejected: { icon: "rejected", title: "page.rejected", Body: RejectedPage },
  system: { icon: "system", title: "page.system", Body: SystemPage },
};

const ofOwn = (page: Page) => ({ icon: own[page].icon, title: t(own[page].title) });

export function App() {
  const locale = useSyncExternalStore(observeLocale, getLocale);
  const session = useSession();
  // Another language or another person begins afresh; the URL keeps the view.
  return (
    <div key={`${locale} ${session.state}`} className="app">
      <Content session={session} />
      <Toasts />
    </div>
  );
}

function Content({ session }: { session: SessionState }) {
  if (session.state === "asking") return <p className="quiet-wait">{t("wait.server")}</p>;
  if (session.state === "signedOut") return <SignIn reason={session.reason} />;
  if (session.state === "away")
    return (
      <main className="narrow">
        <ProblemView error={session.error}>
          <Button onClick={() => void askSession()}>{t("tryAgain")}</Button>
        </ProblemView>
      </main>
    );
  return <Signed session={session.session} />;
}

function Signed({ session }: { session: Session }) {
  const { page } = usePlace();
  const guest = contributedPage(page);
  if (guest !== undefined && guest.frame === "bare")
    return (
      <PageGuard key={page}>
        <Suspense fallback={<p className="quiet-wait">{t("wait.page")}</p>}>
          <PageHost page={guest} session={session} />
        </Suspense>
      </PageGuard>
    );
  return <Console session={session} />;
}

/** Whoever goes on by the keyboard goes on in the page: what had the focus has gone with the page before. */
function useFocusInPage(): void {
  const place = usePlace();
  const first = useRef(place);
  useEffect(() => {
    if (place !== first.current && document.activeElement === document.body)
      document.getElementById("main")?.focus({ preventScroll: true });
  }, [place]);
}

function Console({ session }: { session: Session }) {
  const { page } = usePlace();
  useFocusInPage();
  useEffect(() => {
    startFeed();
    const stops = [startDirectory(), startHealth(), startShortcuts()];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const guest = contributedPage(page);
  const ours = guest === undefined ? own[page as Page] : null;
  const title = guest === undefined ? t(own[page as Page].title) : guest.title[getLocale()];
  useEffect(() => {
    document.title = `${title} – Lineshaft`;
  }, [title]);
  return (
    <>
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <Rail page={page} groups={railGroups(session, ofOwn)} />
      <header className="topbar">
        <h1>{title}</h1>
        <button type="button" className="search-button" onClick={() => openOverlay("search")}>
          <Icon name="search" size={16} />
          <span>{t("search.hint")}</span>
          <kbd>/</kbd>
        </button>
        <HealthMark />
        <UserMenu />
      </header>
      <main id="main" className={`page page-${page}`} tabIndex={-1}>
        <Unreached />
        <PageGuard key={page}>
          <Suspense fallback={<p className="quiet-wait">{t("wait.page")}</p>}>
            {guest === undefined ? ours && <ours.Body /> : <PageHost page={guest} session={session} />}
          </Suspense>
        </PageGuard>
      </main>
      <Overlays />
    </>
  );
}

/** The names could not be read: nothing works well without them, so it stands above every page. */
function Unreached() {
  const error = useDirectoryError();
  if (error === null) return null;
  return <ProblemView error={error} />;
}

/** A fault in one page leaves the others usable. */
class PageGuard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };
  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }
  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="narrow">
        <ProblemView error={this.state.error}>
          <Button onClick={() => location.reload()}>{t("reload")}</Button>
        </ProblemView>
      </div>
    );
  }
}
