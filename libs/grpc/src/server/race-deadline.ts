import type { AppError } from '#libs/errors';
import type { Interceptor } from './chain.ts';

/**
 * Ends the call when it is aborted (deadline, cancellation, shutdown), with the reason of that, whether or not the handler
 * heeds its signal. What the handler does afterwards changes nothing any more.
 */
export function raceDeadline(): Interceptor {
  return (call, next) =>
    new Promise((resolve, reject) => {
      let ended: AppError | undefined;
      call.whenAborted((reason) => {
        ended = reason;
        reject(reason);
      });
      if (ended !== undefined) return;
      // A handler that the signal interrupted throws its own idea of it; the reason is the truth.
      next().then(resolve, (error: unknown) => reject(ended ?? error));
    });
}
