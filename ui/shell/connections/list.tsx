import type { Connection } from "@lineshaft/contract/api";
import { useMemo } from "react";
import {
  ageText,
  Button,
  type Column,
  copyText,
  DataTable,
  EmptyState,
  Segments,
  type Sorting,
  StateMark,
  toTsv,
  useRowHeight,
} from "../../kit/index.ts";
import { matches, useDirectory } from "../directory.ts";
import { FirstBatch } from "../first-batch.tsx";
import { fmt, t } from "../i18n.ts";
import { FailureNotice } from "../machines/failure-view.tsx";
import { go, usePlace } from "../router.ts";
import { allowed } from "../session.ts";
import { note } from "../toasts.tsx";
import { useMedia, useNow } from "../use.ts";
import { ConnectionButtons } from "./buttons.tsx";
import {
  certificateDays,
  certificateDaysLow,
  failureOf,
  figuresOf,
  isSlow,
  lastGoodOf,
  needsLook,
  stateClass,
  stateOf,
  stateOrder,
} from "./health.ts";

const none: ReadonlySet<number> = new Set();
type Show = "all" | "look";

/** Do all machines talk? What needs a look stands first. */
export function ConnectionList() {
  const { connections } = useDirectory("connections");
  const { query } = usePlace();
  const narrow = useMedia("(max-width: 1100px)");
  const rowHeight = useRowHeight();
  const filter = query.get("q") ?? "";
  const show: Show = query.get("show") === "look" ? "look" : "all";
  const sorting = sortingOf(query.get("sort"));
  const active = query.get("at") === null ? null : Number(query.get("at"));
  const place = (part: Record<string, string | number | null>): void =>
    go(
      "connections",
      { q: filter, show: show === "all" ? null : show, sort: query.get("sort"), at: active, ...part },
      "replace",
    );
  const rows = useMemo(() => {
    const fitting = connections.filter(
      (one) =>
        (show === "all" || needsLook(one)) &&
        (filter === "" || matches(filter, one.name, one.kind, one.scope, t(`state.${stateOf(one)}`))),
    );
    return sorted(fitting, sorting);
  }, [connections, filter, show, sorting]);
  const columns = useMemo(() => columnsOf(narrow), [narrow]);
  const chosen = rows.find(({ id }) => id === active);
  const looks = connections.filter(needsLook).length;

  if (connections.length === 0)
    return (
      <div className="page-scroll">
        <EmptyState title={t("connections.empty")}>
          <p>{t("connections.emptyHint")}</p>
          {allowed("configure") && <AddButton />}
        </EmptyState>
        <details className="other-way">
          <summary>{t("connections.orHttp")}</summary>
          <FirstBatch />
        </details>
      </div>
    );
  const copy = (): void => {
    void copyText(toTsv([columns.map(({ key }) => t(`connection.${key as ColumnKey}`)), ...rows.map(cellTexts)])).then(
      (done) => note(done ? t("copy.rows", { n: rows.length }) : t("copy.failed")),
    );
  };
  return (
    <div className="connections">
      <div className="toolbar">
        <input
          className="input filter"
          type="search"
          aria-label={t("connections.filter")}
          placeholder={t("connections.filter")}
          value={filter}
          onChange={(event) => place({ q: event.target.value })}
        />
        <Segments<Show>
          label={t("connections.show")}
          value={show}
          choices={[
            { value: "all", label: t("connections.all", { n: connections.length }) },
            { value: "look", label: t("connections.look", { n: looks }) },
          ]}
          onChange={(next) => place({ show: next === "all" ? null : next })}
        />
        <span className={`count wide-only ${looks > 0 ? "attention" : ""}`} role="status">
          {looks > 0 ? t("connections.someLook", { n: looks }) : t("connections.noneLook")}
        </span>
        <span className="spring" />
        <Button icon="copy" onClick={copy} title={t("copy.tsv")} aria-label={t("copy.tsv")} />
        {allowed("configure") && <AddButton />}
      </div>
      <DataTable<Connection>
        label={t("page.connections")}
        columns={columns}
        rows={rows}
        rowId={({ id }) => id}
        rowHeight={rowHeight}
        active={active}
        onActive={(id) => place({ at: id })}
        selected={none}
        onSelected={() => {}}
        selectLabel=""
        selectable={false}
        sorting={sorting}
        onSorting={({ key, down }) => place({ sort: `${down ? "-" : ""}${key}` })}
        onOpen={({ name }) => go("connections", { name })}
        onKey={(event) => {
          if (!((event.ctrlKey || event.metaKey) && event.key === "c")) return false;
          copy();
          return true;
        }}
        empty={
          <EmptyState title={t("connections.noneFits")}>
            <p>{t("connections.noneFitsHint")}</p>
            <Button onClick={() => place({ q: null, show: null })}>{t("tags.clearFilter")}</Button>
          </EmptyState>
        }
      />
      {chosen !== undefined && <Chosen connection={chosen} />}
      <p className="footnote wide-only">{t("connections.keys")}</p>
    </div>
  );
}

function AddButton() {
  return (
    <Button kind="main" icon="plus" onClick={() => go("connections", { add: "kind" })}>
      {t("connections.add")}
    </Button>
  );
}

/** What the row has no room for: what is wrong and the next step. */
function Chosen({ connection }: { connection: Connection }) {
  const failure = failureOf(connection);
  return (
    <section className="chosen" aria-label={connection.name}>
      <header className="toolbar">
        <StateWord connection={connection} />
        <h2>{connection.name}</h2>
        <span className="spring" />
        <ConnectionButtons connection={connection} open />
      </header>
      {failure !== null && <FailureNotice failure={failure} />}
    </section>
  );
}

export function StateWord({ connection }: { connection: Connection }) {
  const state = stateOf(connection);
  return (
    <span className={`connection-state connection-${state}`} title={t(`stateHint.${state}`)}>
      <StateMark state={stateClass[state]} />
      {t(`state.${state}`)}
    </span>
  );
}

function Ago({ us }: { us: number | null }) {
  const now = useNow();
  if (us === null) return <span className="dim">–</span>;
  return <span title={fmt.exact(us)}>{ageText(now - us, fmt)}</span>;
}

export type ColumnKey =
  | "state"
  | "name"
  | "kind"
  | "good"
  | "rate"
  | "lag"
  | "reconnects"
  | "rejected"
  | "certificate"
  | "tags"
  | "error";

function columnsOf(narrow: boolean): Column<Connection>[] {
  const all: Record<ColumnKey, Omit<Column<Connection>, "key" | "title">> = {
    state: { track: "118px", sortable: true, cell: (one) => <StateWord connection={one} /> },
    name: {
      track: "minmax(120px, 1.9fr)",
      sortable: true,
      cell: (one) => (
        <span className="cell-text" title={one.scope === "" ? one.name : `${one.name} · ${one.scope}`}>
          {one.name}
        </span>
      ),
    },
    kind: { track: "minmax(120px, 0.6fr)", sortable: true, cell: (one) => <span className="soft">{one.kind}</span> },
    good: { track: "90px", align: "right", sortable: true, cell: (one) => <Ago us={lastGoodOf(one)} /> },
    rate: {
      track: narrow ? "96px" : "minmax(110px, 0.9fr)",
      align: "right",
      sortable: true,
      cell: (one) => {
        const expected = figuresOf(one)?.expectedRatePerSecond ?? null;
        return (
          <span className={isSlow(one) ? "attention" : ""}>
            {fmt.rate(one.ratePerSecond)}
            {expected !== null && <span className="soft"> / {fmt.rate(expected)}</span>}
          </span>
        );
      },
    },
    lag: {
      track: "72px",
      align: "right",
      sortable: true,
      cell: (one) => {
        const lag = figuresOf(one)?.lagMs ?? null;
        return lag === null ? <span className="dim">–</span> : fmt.duration(lag * 1000);
      },
    },
    reconnects: {
      track: "100px",
      align: "right",
      sortable: true,
      cell: (one) => {
        const figures = figuresOf(one);
        return figures === null ? <span className="dim">–</span> : fmt.integer(figures.reconnects);
      },
    },
    rejected: {
      track: "116px",
      align: "right",
      sortable: true,
      cell: ({ sums }) => <span className={sums.rejected > 0 ? "attention" : "dim"}>{fmt.integer(sums.rejected)}</span>,
    },
    certificate: {
      track: "96px",
      align: "right",
      sortable: true,
      cell: (one) => {
        const days = certificateDays(one);
        if (days === null) return <span className="dim">–</span>;
        return (
          <span className={days < certificateDaysLow ? "attention" : ""}>{t("connections.days", { n: days })}</span>
        );
      },
    },
    tags: { track: "72px", align: "right", sortable: true, cell: ({ tags }) => fmt.integer(tags) },
    error: {
      track: narrow ? "minmax(110px, 1.6fr)" : "minmax(130px, 1.6fr)",
      cell: (one) => {
        const failure = failureOf(one);
        return failure === null ? null : (
          <span className="cell-text" title={`${failure.hint}\n${failure.technical}`}>
            {failure.message}
          </span>
        );
      },
    },
  };
  const keys: readonly ColumnKey[] = narrow
    ? ["state", "name", "good", "rate", "rejected", "error"]
    : ["state", "name", "kind", "good", "rate", "lag", "reconnects", "rejected", "certificate", "tags", "error"];
  return keys.map((key) => ({ key, title: t(`connection.${key}`), ...all[key] }));
}

const sortValue = (one: Connection, key: string): string | number | null => {
  switch (key) {
    case "name":
      return one.name;
    case "kind":
      return one.kind;
    case "good":
      return lastGoodOf(one);
    case "rate":
      return one.ratePerSecond;
    case "lag":
      return figuresOf(one)?.lagMs ?? null;
    case "reconnects":
      return figuresOf(one)?.reconnects ?? null;
    case "rejected":
      return one.sums.rejected;
    case "certificate":
      return certificateDays(one);
    case "tags":
      return one.tags;
    case "error":
      return failureOf(one)?.message ?? null;
    default:
      return stateOrder.indexOf(stateOf(one));
  }
};

const cellTexts = (one: Connection): string[] =>
  ["state", "name", "kind", "good", "rate", "lag", "reconnects", "rejected", "certificate", "tags", "error"].map(
    (key) => {
      if (key === "state") return t(`state.${stateOf(one)}`);
      const value = sortValue(one, key);
      return value === null ? "" : key === "good" ? fmt.exact(value as number) : String(value);
    },
  );

const sortings = new Map<string, Sorting>();
/** The same object for the same text, so that nothing is sorted again without need. */
function sortingOf(text: string | null): Sorting {
  const key = text ?? "state";
  const found = sortings.get(key) ?? { key: key.replace(/^-/, ""), down: key.startsWith("-") };
  sortings.set(key, found);
  return found;
}

function sorted(connections: readonly Connection[], { key, down }: Sorting): Connection[] {
  const collator = new Intl.Collator(fmt.locale, { numeric: true, sensitivity: "base" });
  const way = down ? -1 : 1;
  return [...connections].sort((a, b) => {
    const [x, y] = [sortValue(a, key), sortValue(b, key)];
    const byName = collator.compare(a.name, b.name);
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0) || byName;
    if (typeof x === "string" || typeof y === "string") return way * collator.compare(String(x), String(y)) || byName;
    return way * (x - y) || byName;
  });
}
