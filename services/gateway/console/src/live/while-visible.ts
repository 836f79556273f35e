/** A hidden page gives its connections back after this time: without HTTP/2, browsers have six for a site. */
const hiddenMs = 20_000;

/**
 * Runs `work` while somebody may look at the page, and again when they come back or the network does, unless it is well.
 * `work` ends with its signal. Ends when the returned function is called.
 */
export function whileVisible(work: (signal: AbortSignal) => Promise<void>, isWell: () => boolean): () => void {
  let running: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    running?.abort();
    running = undefined;
  };
  const run = (): void => {
    clearTimeout(timer);
    if (running !== undefined && isWell()) return;
    stop();
    running = new AbortController();
    void work(running.signal);
  };
  const onVisibility = (): void => {
    if (document.visibilityState === 'visible') return run();
    clearTimeout(timer);
    timer = setTimeout(stop, hiddenMs);
  };
  addEventListener('online', run);
  // What is under way would hang, and begin again too late.
  addEventListener('offline', stop);
  document.addEventListener('visibilitychange', onVisibility);
  run();
  return () => {
    removeEventListener('online', run);
    removeEventListener('offline', stop);
    document.removeEventListener('visibilitychange', onVisibility);
    stop();
  };
}
