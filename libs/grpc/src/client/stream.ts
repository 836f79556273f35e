import type { ClientReadableStream, Metadata, ServiceError, StatusObject } from '@grpc/grpc-js';
import { argumentsOf, assertNotAborted, toFailedAttempt, type AttemptOptions } from './attempt.ts';
import { identityOutcome } from './callee-error.ts';

interface StreamAttempt extends AttemptOptions {
  /** Ends the stream from our side. */
  signal: AbortSignal;
}

/** A stream that the callee has begun to answer. The caller reads it to its end or closes it. */
interface OpenStream {
  first: IteratorResult<unknown>;
  /** Throws ServiceError. */
  next(): Promise<IteratorResult<unknown>>;
  close(): void;
}

/**
 * Starts a server stream and waits for its first message or its end, because only these show whether the callee can
 * serve it. Rejects with FailedAttempt only. Takes one message at a time from the transport.
 */
export async function openStream(options: StreamAttempt): Promise<OpenStream> {
  const { transport, signal, onIdentity, onEnd } = options;
  assertNotAborted(signal);
  const call: ClientReadableStream<unknown> = transport.makeServerStreamRequest(...argumentsOf(options));
  // A cancelled call emits an error even when nothing reads it any more.
  call.on('error', () => undefined);
  let headers: Metadata | undefined;
  call.once('metadata', (received: Metadata) => (headers = received));
  call.once('status', ({ code, metadata: trailers }: StatusObject) => onEnd({ code, headers, trailers }));
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const messages: AsyncIterator<unknown> = call[Symbol.asyncIterator]();
  const close = (): void => {
    signal.removeEventListener('abort', cancel);
    call.cancel();
  };
  try {
    const first = await messages.next();
    onIdentity('accepted');
    return { first, next: () => messages.next(), close };
  } catch (error) {
    close();
    onIdentity(identityOutcome(error as ServiceError));
    throw toFailedAttempt(error as ServiceError, options);
  }
}

/** The messages of a stream; throws AppError. Leaving the loop ends the call. */
export async function* readStream(
  stream: OpenStream,
  options: Pick<StreamAttempt, 'signal' | 'judge'>,
): AsyncGenerator<unknown, void> {
  try {
    for (let result = stream.first; result.done !== true; result = await stream.next()) yield result.value;
  } catch (error) {
    throw toFailedAttempt(error as ServiceError, options).error;
  } finally {
    stream.close();
  }
}
