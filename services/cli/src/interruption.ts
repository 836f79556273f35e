import { exitCodes } from './exit-codes.ts';
import { Failure } from './faults.ts';

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

/**
 * Ends the process when standard output takes no more. A reader that has seen enough, such as `head`, is no fault; for
 * anything else, such as a full disk, the exit code is what `report` returns.
 */
export function endWithOutput(report: (error: Error) => number): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : report(new Failure(`standard output: ${error.message}`)));
  });
  // There is no other place to tell it.
  process.stderr.on('error', () => undefined);
}
