import { status, type Client, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { AppError } from '#libs/errors';
import type { MethodDefinition } from '../wire/method.ts';
import { FailedAttempt } from './breaker.ts';
import type { CallBudget } from './call-budget.ts';
import { identityOutcome } from './callee-error.ts';
import type { CallEnd } from './retry-budget.ts';

export interface AttemptOptions {
  transport: Client;
  definition: MethodDefinition;
  /** What an error of the callee means for the caller, and what it says about the callee. */
  judge: (error: ServiceError) => FailedAttempt;
  request: unknown;
  metadata: Metadata;
  budget: CallBudget;
  /** Ends this attempt: the signal of the call that it is made for. */
  signal: AbortSignal | undefined;
  /** Receives how the callee judged the identity of this service. */
  onIdentity: (outcome: ReturnType<typeof identityOutcome>) => void;
  /** Receives the code, the headers and the trailers of the answer. */
  onEnd: (end: Pick<CallEnd, 'code' | 'headers' | 'trailers'>) => void;
}

/** Why the signal of a call fired: its deadline, its caller, or the shutdown. */
export function abortedBy(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason;
  if (reason instanceof AppError) return reason;
  const late = (reason as { name?: unknown } | null)?.name === 'TimeoutError';
  return late
    ? new AppError('deadline_exceeded', 'DEADLINE_EXCEEDED', 'the time allowed ran out', { cause: reason })
    : new AppError('cancelled', 'CANCELLED', 'the caller gave up', { cause: reason });
}

/** The arguments that grpc-js takes for both kinds of calls. */
export function argumentsOf({ definition, request, metadata, budget }: AttemptOptions) {
  const { path, requestSerialize, responseDeserialize } = definition;
  const serialize = requestSerialize as (value: unknown) => Buffer;
  const deadline = Date.now() + budget.timeoutMs;
  return [path, serialize, responseDeserialize, request, metadata, { deadline }] as const;
}

/** Throws FailedAttempt when the signal has fired. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new FailedAttempt(abortedBy(signal), 'inconclusive');
}

/** What to throw for an attempt that ended with this error, whether the callee sent it or the signal fired. */
export function toFailedAttempt(error: ServiceError, options: Pick<AttemptOptions, 'signal' | 'judge'>): FailedAttempt {
  const { signal, judge } = options;
  return signal?.aborted === true ? new FailedAttempt(abortedBy(signal), 'inconclusive') : judge(error);
}

/** Makes one call, within which grpc-js retries. The signal ends it. Rejects with FailedAttempt only. */
export function attempt(options: AttemptOptions): Promise<unknown> {
  const { transport, signal, onIdentity, onEnd } = options;
  return new Promise((resolve, reject) => {
    assertNotAborted(signal);
    let headers: Metadata | undefined;
    const finish = (error: ServiceError | null, response: unknown): void => {
      onEnd({ code: error?.code ?? status.OK, headers, trailers: error?.metadata });
      signal?.removeEventListener('abort', cancel);
      onIdentity(identityOutcome(error));
      if (error === null) resolve(response);
      else reject(toFailedAttempt(error, options));
    };
    const running = transport.makeUnaryRequest(...argumentsOf(options), finish);
    running.once('metadata', (received) => (headers = received));
    const cancel = (): void => running.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}
