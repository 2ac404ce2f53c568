/** Runs `work` every `ms`, never twice at once; stop() runs it a last time. */
export function periodic(
  ms: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const once = (): void => {
    if (busy) return;
    busy = true;
    running = work()
      .catch(onError)
      .finally(() => {
        busy = false;
      });
  };
  const timer = setInterval(once, ms);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
      once();
      await running;
    },
  };
}
