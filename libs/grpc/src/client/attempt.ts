import { status, type Client, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { AppError } from '#libs/errors';
import type { MethodDefinition } from '../server/binding.ts';
import { FailedAttempt } from './breaker.ts';
import type { CallBudget } from './call-budget.ts';
import { judge, toCalleeError } from './callee-error.ts';
import type { CallEnd } from './retry-budget.ts';

export interface AttemptOptions {
  transport: Client;
  definition: MethodDefinition;
  callee: string;
  request: unknown;
  metadata: Metadata;
  budget: CallBudget;
  /** Of the call that we work for. */
  signal: AbortSignal | undefined;
  /** Told of what was seen of the call: its code, the headers and the trailers of the answer. */
  onEnd: (end: Pick<CallEnd, 'code' | 'headers' | 'trailers'>) => void;
}

/** Why the call we work for has ended: its deadline, its caller, or the shutdown. */
export function abortedBy(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason;
  if (reason instanceof AppError) return reason;
  const late = reason instanceof Error && reason.name === 'TimeoutError';
  return late
    ? new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out', { cause: reason })
    : new AppError('cancelled', 'CANCELLED', 'the caller gave up', { cause: reason });
}

/**
 * One call on the wire; retries by the service config happen inside of it. Rejects with FailedAttempt only. The call is
 * cancelled when the call that we work for ends.
 */
export function attempt({ transport, definition, callee, request, metadata, budget, signal, onEnd }: AttemptOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(new FailedAttempt(abortedBy(signal), 'nothing'));
    let headers: Metadata | undefined;
    const settle = (error: ServiceError | null, response: unknown): void => {
      onEnd({ code: error?.code ?? status.OK, headers, trailers: error?.metadata });
      signal?.removeEventListener('abort', cancel);
      if (error === null) resolve(response);
      else if (signal?.aborted === true) reject(new FailedAttempt(abortedBy(signal), 'nothing'));
      else reject(new FailedAttempt(toCalleeError(error, callee), judge(error, budget.full)));
    };
    const running = transport.makeUnaryRequest(
      definition.path,
      definition.requestSerialize as (value: unknown) => Buffer,
      definition.responseDeserialize,
      request,
      metadata,
      { deadline: budget.deadline },
      settle,
    );
    running.once('metadata', (received) => (headers = received));
    const cancel = (): void => running.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
