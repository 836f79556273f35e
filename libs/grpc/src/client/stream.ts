import type { ClientReadableStream, Metadata, ServiceError, StatusObject } from '@grpc/grpc-js';
import { abortedBy, type AttemptOptions } from './attempt.ts';
import { FailedAttempt } from './breaker.ts';
import { judge, toCalleeError } from './callee-error.ts';

export interface StreamAttempt extends AttemptOptions {
  /** Ends the stream from our side. */
  signal: AbortSignal;
}

/** A stream that the callee has begun to answer. Whoever gets it reads it to its end or closes it. */
export interface OpenStream {
  first: IteratorResult<unknown>;
  /** Throws ServiceError. */
  next(): Promise<IteratorResult<unknown>>;
  close(): void;
}

/**
 * Starts a server stream and waits for its first message, or its end: by then it is known whether the callee can serve it.
 * Rejects with FailedAttempt only. Messages are taken from the transport one by one, as they are asked for.
 */
export async function openStream({ transport, definition, callee, request, metadata, budget, signal, onEnd }: StreamAttempt): Promise<OpenStream> {
  if (signal.aborted) throw new FailedAttempt(abortedBy(signal), 'nothing');
  const call: ClientReadableStream<unknown> = transport.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize as (value: unknown) => Buffer,
    definition.responseDeserialize,
    request,
    metadata,
    { deadline: budget.deadline },
  );
  // The cancelled call reports itself once more when nobody reads it any longer.
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
    return { first: await messages.next(), next: () => messages.next(), close };
  } catch (error) {
    close();
    if (signal.aborted) throw new FailedAttempt(abortedBy(signal), 'nothing');
    throw new FailedAttempt(toCalleeError(error as ServiceError, callee), judge(error as ServiceError, budget.full));
  }
}

/** The messages of a stream; throws AppError. Leaving the loop ends the call. */
export async function* readStream(stream: OpenStream, callee: string, signal: AbortSignal): AsyncGenerator<unknown, void> {
  try {
    for (let result = stream.first; result.done !== true; result = await stream.next()) yield result.value;
  } catch (error) {
    throw signal.aborted ? abortedBy(signal) : toCalleeError(error as ServiceError, callee);
  } finally {
    stream.close();
  }
}
