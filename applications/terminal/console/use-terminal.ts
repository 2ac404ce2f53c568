import type { BookingIntent, Work } from "@lineshaft/contract/api";
import type { PageContext } from "@lineshaft/ui/kit";
import { useLoaded } from "@lineshaft/ui/kit";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Entries, type Entry, newEntryId, StoreFullError } from "./entries.ts";
import { foreseen, type Told } from "./foreseen.ts";
import { Sender, type SenderState } from "./sender.ts";

const workMs = 4000;
/** A clock that is off by less is taken as right: the way of the answer takes time too. */
const tolerableUs = 2_000_000;
const offsetKey = "lineshaft.terminal.clockOffsetUs";
const zoneKey = "lineshaft.terminal.zone";

/** The terminal's own clock: it goes on evenly while the page is open, whoever sets the time. */
const wallMs = (): number => performance.timeOrigin + performance.now();

/** The plant's time: the terminal's clock, put right by what the server told last. It is kept, for entries that are made before the server answers. */
class PlantClock {
  #offsetUs = Number(localStorage.getItem(offsetKey) ?? 0);
  nowUs = (): number => Math.round(wallMs() * 1000 + this.#offsetUs);
  told(serverUs: number): void {
    const offsetUs = serverUs - wallMs() * 1000;
    this.#offsetUs = Math.abs(offsetUs) < tolerableUs ? 0 : offsetUs;
    localStorage.setItem(offsetKey, String(this.#offsetUs));
  }
}

interface Desk {
  clock: PlantClock;
  entries: Entries;
  sender: Sender;
  wake(): void;
}

function openDesk(platform: PageContext["platform"]): Desk {
  const clock = new PlantClock();
  const entries = new Entries({ store: localStorage, nowUs: clock.nowUs, nowMs: wallMs, newId: newEntryId });
  let wake = (): void => {};
  const sender = new Sender({
    entries,
    nowMs: wallMs,
    pause: (ms) =>
      new Promise((resolve) => {
        const timer = window.setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    api: {
      async book(id, booking) {
        const { item, cause } = await platform.call("book", { params: { id }, body: booking });
        return { revision: item.revision, cause };
      },
      async takeBack(id, revision) {
        await platform.call("takeBackBooking", { params: { id }, revision });
      },
    },
  });
  return { clock, entries, sender, wake: () => wake() };
}

export interface Terminal {
  nowUs(): number;
  entries: readonly Entry[];
  link: SenderState;
  /** Keeps an entry and sends it as soon as that is possible; null where nothing more can be kept. */
  enter(equipmentId: number, intent: BookingIntent): Entry | null;
  withdraw(id: string): void;
  change(id: string, change: Partial<Entry>): void;
  told(work: Work): void;
  /** The plant's zone, as the server told it last. */
  zone: string;
}

/** What a terminal keeps and sends, as long as its page is open. */
export function useTerminal(context: PageContext, by: string | undefined, onFull: () => void): Terminal {
  const platform = useRef(context.platform);
  platform.current = context.platform;
  const desk = useMemo(() => openDesk(platform.current), []);
  const entries = useSyncExternalStore(
    (listener) => desk.entries.observe(listener),
    () => desk.entries.all,
  );
  const link = useSyncExternalStore(
    (listener) => desk.sender.observe(listener),
    () => desk.sender.state,
  );
  const [zone, setZone] = useState(localStorage.getItem(zoneKey) ?? "UTC");
  useEffect(() => {
    const abort = new AbortController();
    const send = (): void => void desk.sender.run(abort.signal).catch((error: unknown) => context.fault(error, ""));
    const soon = (): void => {
      desk.wake();
      send();
    };
    const elsewhere = (event: StorageEvent): void => {
      if (event.storageArea === localStorage) desk.entries.reread();
    };
    const stop = desk.entries.observe(send);
    addEventListener("online", soon);
    addEventListener("storage", elsewhere);
    send();
    return () => {
      abort.abort();
      desk.wake();
      stop();
      removeEventListener("online", soon);
      removeEventListener("storage", elsewhere);
    };
  }, [desk, context.fault]);
  return {
    nowUs: desk.clock.nowUs,
    zone,
    entries,
    link,
    enter(equipmentId, intent) {
      try {
        return desk.entries.add(equipmentId, intent, by);
      } catch (error) {
        if (!(error instanceof StoreFullError)) throw error;
        onFull();
        return null;
      }
    },
    withdraw: (id) => desk.entries.withdraw(id),
    change: (id, change) => desk.entries.change(id, change),
    told: (work) => {
      desk.clock.told(work.atUs);
      localStorage.setItem(zoneKey, work.timeZone);
      setZone(work.timeZone);
      // The server answers: what waits need not wait longer.
      if (desk.sender.state !== "online") desk.wake();
    },
  };
}

/** Work of one machine, asked for every few seconds and after each answer to an entry; the last known one while the server is away. */
export function useWork(
  context: PageContext,
  terminal: Terminal,
  equipmentId: number,
): { work: Work | null; error: unknown } {
  const key = `lineshaft.terminal.work.${equipmentId}`;
  const [kept] = useState<Told | null>(() => {
    const text = localStorage.getItem(key);
    return text === null ? null : { work: JSON.parse(text) as Work, askedMs: 0 };
  });
  const { data, error, reload } = useLoaded<Told>(
    key,
    async (signal) => {
      const askedMs = wallMs();
      const work = await context.platform.call("getWork", { params: { id: equipmentId }, signal });
      terminal.told(work);
      localStorage.setItem(key, JSON.stringify(work));
      return { work, askedMs };
    },
    workMs,
  );
  const answered = terminal.entries.reduce((last, each) => Math.max(last, each.answeredMs ?? 0), 0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer is the wish to read again
  useEffect(reload, [answered, terminal.entries.length, reload]);
  const told = data ?? kept;
  const work = useMemo(() => (told === null ? null : foreseen(told, terminal.entries)), [told, terminal.entries]);
  return { work, error };
}
