import { AppError } from '#libs/errors';
import { traceIdOf } from '#libs/runtime';
import { acceptCallId, callIdKey } from '../wire/call-id.ts';
import { prepareTrailers } from '../wire/status.ts';
import { continueTrace, traceParentKey } from '../wire/trace-parent.ts';
import type { Admission } from './admission.ts';
import type { UnreadCall } from './refusal-log.ts';
import { isWhole, type StreamGateOptions } from './stream-gate.ts';

const error = (retryAfterMs: number): AppError => new AppError('resource_exhausted', 'OVERLOADED', 'the server is busy', { details: { retryAfterMs } });

/** So that those who are refused at the same time do not all come back at the same time. */
const delays = { fromMs: 500, stepMs: 50, steps: 20 };

/** What a call beyond the capacity is told. */
export function overloaded(): AppError {
  return error(delays.fromMs + Math.floor(Math.random() * delays.steps) * delays.stepMs);
}

const trailers = Array.from({ length: delays.steps }, (_, step) => prepareTrailers(error(delays.fromMs + step * delays.stepMs)));
const anyTrailers = (callId: string) => trailers[Math.floor(Math.random() * trailers.length)]?.(callId);

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? undefined : header;
}

export interface EarlyRefusalOptions {
  /** Of a path: whether it answers by a stream; undefined for what is never refused. */
  isStream: (path: string) => boolean | undefined;
  admission: Admission;
  record: (call: UnreadCall) => void;
}

/**
 * Refuses calls for which there is no room, as soon as their headers are there: a server that is asked for five times as much as
 * it can do refuses four calls for each that it carries out, and must have its time for that one. Hence no call object, no
 * span, and a status of which most was made beforehand.
 */
export function refuseEarly({ isStream, admission, record }: EarlyRefusalOptions): StreamGateOptions['refuse'] {
  return (stream, headers, peer) => {
    const method = headers[':path'] ?? '';
    const answersByStream = isStream(method);
    const whole = isWhole(stream);
    if (answersByStream === undefined || admission.hasRoom({ stream: answersByStream, peer, whole })) return false;
    const requestId = acceptCallId(textOf(headers[callIdKey]));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto', ...anyTrailers(requestId) }, { endStream: true });
    // What the client goes on sending is not taken any more (RFC 9113, 8.1). A reset is expensive, so none without need.
    if (whole) stream.resume();
    else stream.close();
    const traceId = traceIdOf(continueTrace(textOf(headers[traceParentKey])));
    record({ method, code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED', requestId, traceId, peer, message: 'the server is busy' });
    return true;
  };
}
