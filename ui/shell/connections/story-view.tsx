import type { Connection } from "@lineshaft/contract/api";
import { useEffect, useState } from "react";
import { EmptyState, StateMark } from "../../kit/index.ts";
import { nowUs } from "../feed.ts";
import { fmt, t } from "../i18n.ts";
import { openStream } from "../platform.ts";
import { connectorText } from "./connector-text.ts";
import { type ConnectionState, stateClass } from "./health.ts";

/** How far back the story goes, and how long it may get. */
const hours = 24;
const chaptersMax = 200;

interface Chapter {
  lsn: number;
  time: number;
  state: ConnectionState;
  message: string | null;
  hint: string | null;
  technical: string | null;
}

/** The changes of health of the last day, from the log itself, and every new one as it happens. */
export function StoryView({ connection }: { connection: Connection }) {
  const [chapters, setChapters] = useState<readonly Chapter[]>([]);
  const [state, setState] = useState<"reading" | "following">("reading");
  const { name, id } = connection;
  useEffect(() => {
    setChapters([]);
    const close = openStream(
      { format: "json", types: ["connection.changed"], from: Math.round(nowUs() - hours * 3_600e6) },
      {
        onEvent(event) {
          if (event.type !== "connection.changed") return;
          const data = event.data as { connectionId?: number; connection?: string; health?: Record<string, unknown> };
          if (data.health === undefined || (data.connection !== name && data.connectionId !== id)) return;
          const { health } = data;
          const text = (key: string): string | null =>
            typeof health[key] === "string" ? (health[key] as string) : null;
          const said = (key: string): string | null => {
            const words = text(key);
            return words === null ? null : connectorText(words);
          };
          const chapter: Chapter = {
            lsn: event.lsn ?? 0,
            time: event.recordedTime,
            state: (text("state") ?? "never") as ConnectionState,
            message: said("message"),
            hint: said("hint"),
            technical: text("technical"),
          };
          setChapters((old) => [chapter, ...old.filter(({ lsn }) => lsn !== chapter.lsn)].slice(0, chaptersMax));
        },
        onState(next) {
          if (next === "open") setState("following");
        },
      },
    );
    return close;
  }, [name, id]);
  if (chapters.length === 0)
    return state === "reading" ? (
      <p className="quiet-wait">{t("wait.story")}</p>
    ) : (
      <EmptyState title={t("story.none")}>
        <p>{t("story.noneHint")}</p>
      </EmptyState>
    );
  return (
    <ol className="story" aria-label={t("connectionView.story")}>
      {chapters.map((chapter, i) => (
        <li key={chapter.lsn}>
          <time title={fmt.exact(chapter.time)}>{fmt.dateTime(chapter.time)}</time>
          <span className={`connection-state connection-${chapter.state}`}>
            <StateMark state={stateClass[chapter.state] ?? "unknown"} />
            {t(`state.${chapter.state}`)}
          </span>
          <span className="soft">
            {i === 0
              ? t("story.now")
              : t("story.for", { time: fmt.duration(Math.max(0, chapters[i - 1].time - chapter.time)) })}
          </span>
          {chapter.message !== null && (
            <div className="story-what">
              <p>{chapter.message}</p>
              <p className="soft">{chapter.hint}</p>
              {chapter.technical !== null && chapter.technical !== "" && (
                <p className="mono dim">{chapter.technical}</p>
              )}
            </div>
          )}
        </li>
      ))}
    </ol>
  );
}
