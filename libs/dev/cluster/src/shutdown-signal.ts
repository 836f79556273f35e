/** The end of a command line program, for those who wait for it. */
export interface ShutdownSignal {
  /** Aborted at the first wish to stop: Ctrl-C, a signal, or the end of the process that started this one. */
  readonly signal: AbortSignal;
  /** Called at every further wish that comes later than the echo of the first one. */
  onAgain(listener: () => void): void;
}

/** One Ctrl-C arrives more than once: from the terminal, and forwarded by npm and by boot.mjs. */
const echoMs = 2_000;

export function listenForShutdown(): ShutdownSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  let again = (): void => undefined;
  const wish = (reason: string): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      controller.abort(reason);
    } else if (performance.now() - firstAt > echoMs) {
      again();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => wish(name));
  // boot.mjs holds the other end; a terminal or npm that dies takes it with it.
  if (process.channel !== undefined) process.on('disconnect', () => wish('its parent ended'));
  return {
    signal: controller.signal,
    onAgain: (listener) => {
      again = listener;
    },
  };
}
