import { exitCodes } from './exit-codes.ts';

/** How long a command may take to leave after Ctrl-C, such as to remove an unfinished file. */
const graceMs = 500;

/** Fires on Ctrl-C. */
export const interruption = new AbortController();

export function listenToInterrupts(): void {
  const stop = (): void => {
    interruption.abort();
    setTimeout(() => process.exit(exitCodes.interrupted), graceMs).unref();
  };
  process.on('SIGINT', stop);
}

/** Resolves on Ctrl-C. */
export const interrupted = new Promise<void>((resolve) => {
  interruption.signal.addEventListener('abort', () => resolve(), { once: true });
});

/** A reader that has seen enough, such as `head`, is no fault. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}
