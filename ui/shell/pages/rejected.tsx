import type { Gap, RejectedItem, RouteResponse } from "@lineshaft/contract/api";
import { type Value, valueFromJson } from "@lineshaft/contract/api";
import { useEffect, useRef, useState } from "react";
import { ageText, Button, CopyBlock, EmptyState, hexDump, Segments, valueText } from "../../kit/index.ts";
import { observeEvents } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { call } from "../platform.ts";
import { copyLabels, describeCode, ProblemView } from "../problem.tsx";
import { go, link, usePlace } from "../router.ts";
import { useLoaded, useNow } from "../use.ts";

type Rejections = RouteResponse<"listRejected">;
type Group = Rejections["groups"][number];
const pageSize = 50;
const everyMs = 10_000;

export function RejectedPage() {
  const { query } = usePlace();
  const code = query.get("code");
  const connection = query.get("connection");
  const id = query.get("item");
  const groups = useLoaded("groups", (signal) => call("listRejected", { query: { limit: 1 }, signal }), everyMs);
  useReloadOn("item.rejected", groups.reload);
  const gaps = useLoaded("gaps", (signal) => call("listGaps", { query: { limit: 200 }, signal }), everyMs);
  const place = (part: Record<string, string | number | null>): void =>
    go("rejected", { code, connection, item: id, ...part });

  if (groups.error !== null && groups.data === null) return <ProblemView error={groups.error} />;
  if (groups.data === null) return <p className="quiet-wait">{t("wait.rejected")}</p>;
  const none = groups.data.groups.length === 0 && groups.data.items.length === 0;
  if (none)
    return (
      <div className="page-scroll">
        <EmptyState title={t("rejected.none")}>
          <p>{t("rejected.noneWhat")}</p>
          <GapList gaps={gaps.data?.items ?? null} error={gaps.error} />
        </EmptyState>
      </div>
    );
  return (
    <div className="rejected">
      <section className="rejected-groups" aria-label={t("rejected.causes")}>
        <header className="panel-head">
          <h2>{t("rejected.causes")}</h2>
          {(code !== null || connection !== null) && (
            <Button kind="quiet" onClick={() => place({ code: null, connection: null, item: null })}>
              {t("rejected.all")}
            </Button>
          )}
        </header>
        <ul className="group-list">
          {groups.data.groups.map((group) => (
            <GroupRow
              key={`${group.code} ${group.connection}`}
              group={group}
              chosen={group.code === code && group.connection === connection}
              onChoose={() => place({ code: group.code, connection: group.connection, item: null })}
            />
          ))}
        </ul>
        <GapList gaps={gaps.data?.items ?? null} error={gaps.error} />
      </section>
      <Items code={code} connection={connection} chosen={id} onChoose={(item) => place({ item })} />
    </div>
  );
}

function useReloadOn(type: string, reload: () => void): void {
  useEffect(() => {
    let timer = 0;
    const stop = observeEvents((event) => {
      if (event.type !== type || timer !== 0) return;
      timer = window.setTimeout(() => {
        timer = 0;
        reload();
      }, 1000);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [type, reload]);
}

function GroupRow(props: { group: Group; chosen: boolean; onChoose(): void }) {
  const { group } = props;
  const now = useNow();
  return (
    <li>
      <button type="button" className="group-row" aria-pressed={props.chosen} onClick={props.onChoose}>
        <span className="group-title">{describeCode(group.code).title}</span>
        <span className="group-count">{t("gaps.points", { n: group.points })}</span>
        <span className="soft group-where">
          {group.connection ?? t("rejected.noConnection")} · <span className="mono">{group.code}</span>
        </span>
        <span className="soft group-age">
          {t("rejected.ago", { n: group.items, age: ageText(now - group.lastUs, fmt) })}
        </span>
      </button>
    </li>
  );
}

function Items(props: {
  code: string | null;
  connection: string | null;
  chosen: string | null;
  onChoose(id: number): void;
}) {
  const { code, connection, chosen } = props;
  const key = `${code} ${connection}`;
  const filter = { ...(code === null ? {} : { code }), ...(connection === null ? {} : { connection }) };
  const newest = useLoaded(key, (signal) => call("listRejected", { query: { ...filter, limit: pageSize }, signal }));
  useReloadOn("item.rejected", newest.reload);
  const [older, setOlder] = useState<{ key: string; items: RejectedItem[]; cursor: string | null }>({
    key,
    items: [],
    cursor: null,
  });
  const more = older.key === key ? older : { key, items: [], cursor: null };
  const cursor = more.items.length > 0 ? more.cursor : (newest.data?.cursor ?? null);
  const [error, setError] = useState<unknown>(null);
  const loadMore = async (): Promise<void> => {
    if (cursor === null) return;
    try {
      const page = await call("listRejected", { query: { ...filter, limit: pageSize, cursor } });
      setOlder({ key, items: [...more.items, ...page.items], cursor: page.cursor });
      setError(null);
    } catch (problem) {
      setError(problem);
    }
  };
  const first = newest.data?.items ?? [];
  const seen = new Set(first.map((item) => item.id));
  const items = [...first, ...more.items.filter((item) => !seen.has(item.id))];
  const current = items.find((item) => String(item.id) === chosen) ?? null;
  return (
    <section className="rejected-items" aria-label={t("rejected.items")}>
      {code !== null && <Cause code={code} connection={connection} />}
      {newest.error !== null && <ProblemView error={newest.error} />}
      {newest.loading && <p className="quiet-wait">{t("wait.rejected")}</p>}
      <div className="table-frame">
        <table className="plain selectable">
          <caption className="unseen">{t("rejected.items")}</caption>
          <thead>
            <tr>
              <th>{t("rejected.time")}</th>
              <th>{t("connections.name")}</th>
              <th>{t("rejected.detail")}</th>
              <th className="right">{t("rejected.points")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.id} aria-selected={item === current} onClick={() => props.onChoose(item.id)}>
                <td className="nowrap">
                  <button type="button" className="link" onClick={() => props.onChoose(item.id)}>
                    {fmt.dateTime(item.time)}
                  </button>
                </td>
                <td className="nowrap">{item.connection ?? "–"}</td>
                <td>
                  <span className="clip" title={item.detail}>
                    {code === null && reasonOf(item)}
                    <span className={code === null ? "soft" : ""}>{item.detail}</span>
                  </span>
                </td>
                <td className="right">{fmt.integer(item.points)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {cursor !== null && (
        <div className="center">
          <Button onClick={() => void loadMore()}>{t("rejected.older")}</Button>
        </div>
      )}
      {error !== null && <ProblemView error={error} />}
      {chosen === null && items.length > 0 && <p className="footnote">{t("rejected.choose")}</p>}
      {chosen !== null && <Detail id={Number(chosen)} known={current} explained={code !== null} />}
    </section>
  );
}

/** The reason in the reader's language, unless the server's own sentence says just that. */
function reasonOf({ code, detail }: RejectedItem): string {
  const { title } = describeCode(code);
  return title === detail ? "" : `${title} `;
}

/** Why, and what to do, in a plain sentence each. */
function Cause({ code, connection }: { code: string; connection: string | null }) {
  const { title, action } = describeCode(code);
  return (
    <div className="cause">
      <h2>{title}</h2>
      <p>{action}</p>
      <p className="soft">
        <span className="mono">{code}</span>
        {connection !== null && (
          <>
            {" · "}
            <a {...link("equipment", { q: connection })}>{connection}</a>
          </>
        )}
      </p>
    </div>
  );
}

function Detail({ id, known, explained }: { id: number; known: RejectedItem | null; explained: boolean }) {
  const loaded = useLoaded(`item ${id}`, (signal) => call("getRejected", { params: { id }, signal }));
  const item = loaded.data ?? known;
  if (item === null)
    return loaded.error === null ? (
      <p className="quiet-wait">{t("wait.rejected")}</p>
    ) : (
      <ProblemView error={loaded.error} />
    );
  return <Evidence key={item.id} item={item} explained={explained} />;
}

function Evidence({ item, explained }: { item: RejectedItem; explained: boolean }) {
  const article = useRef<HTMLElement>(null);
  // On a tablet it begins below what is on screen.
  useEffect(() => {
    article.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const { title, action } = describeCode(item.code);
  const technical = `${item.code} #${item.id} ${new Date(item.time / 1000).toISOString()} ${item.connection ?? "-"}: ${item.detail}`;
  return (
    <article ref={article} className="rejected-detail" aria-label={t("rejected.item", { id: item.id })}>
      <h3>{t("rejected.itemAt", { time: fmt.exact(item.time) })}</h3>
      {!explained && (
        <p>
          {title} {action}
        </p>
      )}
      <CopyBlock text={technical} labels={copyLabels()} label={t("problem.details")} />
      {item.sample.length > 0 && (
        <>
          <h4>{t("rejected.rows", { n: item.sample.length, of: item.points })}</h4>
          <div className="table-frame">
            <table className="plain">
              <thead>
                <tr>
                  <th>{t("rejected.tag")}</th>
                  <th>{t("rejected.time")}</th>
                  <th className="right">{t("column.value")}</th>
                  <th>{t("rejected.detail")}</th>
                </tr>
              </thead>
              <tbody>
                {item.sample.map((row, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the rows never change
                  <tr key={i}>
                    <td className="mono">{row.tag ?? "–"}</td>
                    <td className="nowrap">{row.time === null ? "–" : fmt.exact(row.time)}</td>
                    <td className="right">{sampleValue(row.value)}</td>
                    <td>{row.detail ?? ""}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {item.payload !== null && <Payload base64={item.payload} bytes={item.payloadBytes} />}
    </article>
  );
}

function sampleValue(json: RejectedItem["sample"][number]["value"]): string {
  const value: Value | undefined = valueFromJson(json);
  return value === undefined ? JSON.stringify(json) : valueText(value, fmt);
}

function Payload({ base64, bytes }: { base64: string; bytes: number }) {
  const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const readable = !content.subarray(0, 512).some((byte) => byte < 9 || (byte > 13 && byte < 32));
  const [as, setAs] = useState<"text" | "hex">(readable ? "text" : "hex");
  const text = as === "hex" ? hexDump(content) : new TextDecoder().decode(content);
  return (
    <>
      <div className="payload-head">
        <h4>{t("rejected.payload", { size: fmt.bytes(bytes) })}</h4>
        <Segments<"text" | "hex">
          label={t("rejected.payloadAs")}
          value={as}
          choices={[
            { value: "text", label: t("rejected.text") },
            { value: "hex", label: "hex" },
          ]}
          onChange={setAs}
        />
      </div>
      {bytes > content.length && <p className="footnote">{t("rejected.cut", { size: fmt.bytes(content.length) })}</p>}
      <CopyBlock text={text} labels={copyLabels()} label={t("rejected.payload", { size: fmt.bytes(bytes) })} />
    </>
  );
}

function GapList({ gaps, error }: { gaps: readonly Gap[] | null; error: unknown }) {
  return (
    <section className="gaps" aria-label={t("gaps.title")}>
      <header className="panel-head">
        <h2>{t("gaps.title")}</h2>
      </header>
      {error !== null && <ProblemView error={error} />}
      {gaps !== null && gaps.length === 0 && <p className="footnote">{t("gaps.none")}</p>}
      {gaps !== null && gaps.length > 0 && (
        <ul className="gap-list">
          {gaps.map((gap) => (
            <li key={gap.id}>
              <span>
                {fmt.dateTime(gap.fromUs)} – {gap.toUs === null ? t("gaps.open") : fmt.dateTime(gap.toUs)}
              </span>
              <span className="soft">
                {gap.connection ?? t("gaps.everything")} · {gap.reason}
                {gap.points !== null && ` · ${t("gaps.points", { n: gap.points })}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
