import { AppError } from '#libs/errors';
import { prepareTrailers } from '../wire/status.ts';
import type { ConcurrencyLimiter } from './concurrency-limiter.ts';
import type { UnreadCall } from './refusal-log.ts';
import { answerUnread, idsOf } from './refuse-faulty.ts';
import { isWhole, type IncomingStreamsOptions } from './incoming-streams.ts';

const error = (retryAfterMs: number): AppError =>
  new AppError('resource_exhausted', 'OVERLOADED', 'the server is busy', { details: { retryAfterMs } });

/** Random delays, so that clients that are refused together do not all retry together. */
const delays = { fromMs: 500, stepMs: 50, steps: 20 };

/** The error of a call beyond the capacity. */
export function overloaded(): AppError {
  return error(delays.fromMs + Math.floor(Math.random() * delays.steps) * delays.stepMs);
}

const trailers = Array.from({ length: delays.steps }, (_, step) =>
  prepareTrailers(error(delays.fromMs + step * delays.stepMs)),
);
const anyTrailers = (requestId: string) => trailers[Math.floor(Math.random() * trailers.length)]?.(requestId);

interface EarlyRejectionOptions {
  /** Whether the method at a path answers with a stream; undefined for methods that are never refused. */
  isStream: (path: string) => boolean | undefined;
  limiter: ConcurrencyLimiter;
  record: (call: UnreadCall) => void;
}

/**
 * Refuses calls without room as soon as their headers have arrived. A server under five times its load refuses four
 * calls for each that it serves, so a refusal must be cheap: no call object, no span, and most of its status is
 * prepared.
 */
export function rejectEarly({ isStream, limiter, record }: EarlyRejectionOptions): IncomingStreamsOptions['refuse'] {
  return (stream, { headers }, peer) => {
    const method = headers[':path'] ?? '';
    const answersByStream = isStream(method);
    const whole = isWhole(stream);
    if (answersByStream === undefined || limiter.hasRoom({ stream: answersByStream, peer, whole })) return false;
    const ids = idsOf(headers);
    answerUnread(stream, { ':status': 200, 'content-type': 'application/grpc+proto', ...anyTrailers(ids.requestId) });
    record({ method, code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED', ...ids, peer, message: 'the server is busy' });
    return true;
  };
}
