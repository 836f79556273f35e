import type { AppError } from '#libs/errors';
import type { Interceptor, RunningCall } from './chain.ts';

/** Ends an aborted call (deadline, cancellation, shutdown), even when the handler ignores its signal. */
export function raceDeadline(): Interceptor<RunningCall> {
  return (call, next) =>
    new Promise((resolve, reject) => {
      let ended: AppError | undefined;
      call.whenAborted((reason) => {
        ended = reason;
        reject(reason);
      });
      if (ended !== undefined) return;
      // An interrupted handler throws an error of its own, but the reason of the abort is the cause.
      next().then(resolve, (error: unknown) => reject(ended ?? error));
    });
}
