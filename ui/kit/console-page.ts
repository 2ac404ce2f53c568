import type { CallOptions } from "@lineshaft/client";
import type {
  Micros,
  Permission,
  RouteName,
  RouteResponse,
  Session,
  StreamEvent,
  StreamRequest,
} from "@lineshaft/contract/api";
import type { ComponentType, MouseEvent, ReactNode } from "react";
import type { Format } from "./format.ts";
import type { IconName } from "./icon.tsx";
import type { TimeRange } from "./time-axis.ts";

/**
 * What an application contributes to the console: pages. `applications/<name>/console/index.ts` exports `pages`; the console is composed of them when
 * it is built, and is whole without any. A page gets everything that it knows of the outside through its context.
 */

export const pageLocales = ["de", "en"] as const;
export type PageLocale = (typeof pageLocales)[number];

/** Groups of the rail, in their order: what runs now, why it was so, what should run, how machines are connected and what they mean, the platform itself. */
export const pageGroups = ["operate", "analyse", "plan", "connect", "system"] as const;
export type PageGroup = (typeof pageGroups)[number];

export interface ConsolePage {
  /** First part of its address, e.g. `oee` for /oee. It must be nobody else's. */
  path: string;
  icon: IconName;
  title: Readonly<Record<PageLocale, string>>;
  /** `lazy(() => import(…))`: loaded when it is first wanted. */
  Body: ComponentType<{ context: PageContext }>;
  /** `console`: beside the rail and below the bar. `bare`: the whole screen, e.g. for a kiosk. */
  frame: "console" | "bare";
  /** Where it stands in the rail. Default: analyse. */
  group?: PageGroup;
  /** Where it stands among all pages; below 0 before the console's own. */
  rank: number;
  /** The console begins here. Without such a page it begins with its own first one. */
  isStart?: boolean;
  /** Offered in the rail; others are reached from pages and by the search. Default: those in the console's frame. */
  inRail?: boolean;
  /** After `g`, goes to it. */
  shortcut?: string;
  /** For whom it is; default: everybody who is signed in. */
  isFor?(session: Session): boolean;
}

/** What stands behind `?` in an address: the whole view, so that a link shows a colleague the same. */
export type PageQuery = Readonly<Record<string, string | number | null | undefined>>;

type CallRest<N extends RouteName> =
  object extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>];

/** The public API as whoever is signed in. */
export interface PagePlatform {
  /** Rejects with ProblemError or UnreachableError. */
  call<N extends RouteName>(name: N, ...rest: CallRest<N>): Promise<RouteResponse<N>>;
  /** Follows the event stream and comes back by itself. Returns how to stop. */
  follow(
    request: StreamRequest,
    handlers: { onEvent(event: StreamEvent): void; onState(state: "connecting" | "open" | "waiting"): void },
  ): () => void;
}

/** Values of tags over the time range of the page around it. */
export interface PageTrendProps {
  tags: readonly number[];
  range: TimeRange;
  /** The range moves with now. */
  following: boolean;
  cursorUs: Micros | null;
  /** Times as the lanes around it tell them; default: the viewer's. */
  format?: Format;
  onRange(range: TimeRange, how: "pan" | "zoom"): void;
  onCursor(us: Micros | null): void;
}

export interface PageContext {
  /** The page's own path. */
  page: string;
  query: URLSearchParams;
  /** `replace` for what moves with the hand; default: push. */
  go(page: string, query?: PageQuery, how?: "push" | "replace"): void;
  /** Props of an `<a>` that stays within the console, yet opens in a new tab when asked to. */
  link(page: string, query?: PageQuery): { href: string; onClick(event: MouseEvent): void };
  platform: PagePlatform;
  session: Session;
  /** May the signed-in person do this? The server decides; this only keeps useless buttons away. */
  may(permission: Permission): boolean;
  locale: PageLocale;
  /** Numbers and times in the reader's language; times in the zone of the viewer. */
  format: Format;
  /** The same with times as they are in a plant's zone. */
  formatIn(timeZone: string): Format;
  /** The server's time. */
  nowUs(): Micros;
  /** Says something for a few seconds. */
  note(body: ReactNode): void;
  /** Says what failed until it is dismissed, with the next step. */
  fault(error: unknown, headline: string): void;
  /** An error in two layers. */
  Problem: ComponentType<{ error: unknown; children?: ReactNode }>;
  Trend: ComponentType<PageTrendProps>;
}
