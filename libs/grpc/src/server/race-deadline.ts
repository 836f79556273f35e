import type { Interceptor } from './chain.ts';

/**
 * Ends the call when its signal fires (deadline, cancellation, shutdown), with the signal's reason, whether or not the
 * handler heeds it. What the handler does afterwards changes nothing any more.
 */
export function raceDeadline(): Interceptor {
  return ({ context: { signal } }, next) =>
    new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      next()
        // A handler that the signal interrupted throws its own idea of it; the reason is the truth.
        .then(resolve, (error: unknown) => reject(signal.aborted ? signal.reason : error))
        .finally(() => signal.removeEventListener('abort', stop));
    });
}
