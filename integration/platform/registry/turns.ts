/** A round of the event loop that takes no longer found nobody waiting, ms. */
const quietRoundMs = 2;
/** So long whoever waits is let go first, ms: the work comes to its end however busy the thread is. */
const longestMs = 20;

/**
 * Between two portions of long work: resolves when those who wait for the main thread have been served. One turn of the event loop would not do where they come faster than they can be served
 * beside the work: each portion would leave more of them waiting.
 */
export async function othersServed(nowMs: () => number = () => performance.now()): Promise<void> {
  const begun = nowMs();
  for (let before = begun; ; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = nowMs();
    if (now - before < quietRoundMs || now - begun >= longestMs) return;
    before = now;
  }
}

/** So long a portion of work keeps the main thread to itself, ms. */
const portionMs = 5;

/** A pause for between the parts of long work: others have their turn where a portion has passed since they last had it. */
export function paced(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < portionMs) return;
    await othersServed();
    since = performance.now();
  };
}

/** Does work that yields between its parts, portion by portion. */
export async function inTurns<T>(work: Generator<void, T>, pause: () => Promise<void> = othersServed): Promise<T> {
  for (;;) {
    const end = performance.now() + portionMs;
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (performance.now() >= end) break;
    }
    await pause();
  }
}

/** The same at once. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
