import {
  clone,
  create,
  isMessage,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type StreamResponse, type Transport, type UnaryResponse } from '@connectrpc/connect';
import type { Credentials } from './credentials.ts';
import { codeOf, detailsOf } from './errors.ts';
import { policyOf, type MethodPolicy } from './policy.ts';
import { backoffMs, linkSignals, pause, type RetryBudget } from './retries.ts';

export interface PolicyOptions {
  credentials: Credentials;
  budget: RetryBudget;
  /** Of one call, the first included. */
  maxAttempts: number;
  userAgent: string | undefined;
}

/** One call with all of its attempts. */
interface Call {
  policy: MethodPolicy;
  signal: AbortSignal | undefined;
  header: Headers;
  /** Ends at the deadline, on the clock of `performance`. */
  ends: number;
  /** Attempts that failed. */
  failures: number;
  renewed: boolean;
}

const requestIdHeader = 'x-request-id';

interface Attempts<M extends DescMethod> {
  transport: Transport;
  method: M;
  call: Call;
  options: PolicyOptions;
}

function begin(
  method: DescMethod,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  init: ConstructorParameters<typeof Headers>[0],
): Call {
  const policy = policyOf(method);
  const header = new Headers(init);
  if (!header.has(requestIdHeader)) header.set(requestIdHeader, crypto.randomUUID());
  const ends = performance.now() + Math.min(timeoutMs ?? Infinity, policy.deadlineMs);
  return { policy, signal, header, ends, failures: 0, renewed: false };
}

const leftMs = ({ ends }: Call): number => ends - performance.now();

/** What an attempt may take, in whole milliseconds. Transports take 0 for no limit. */
function timeoutOf(call: Call): number {
  if (leftMs(call) <= 0) throw new ConnectError('the deadline passed before the call was sent', Code.DeadlineExceeded);
  return Math.ceil(leftMs(call));
}

/** Nothing that the credentials need may hold a call beyond its deadline, or when its caller gave up. */
async function inTime<T>(call: Call, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = pause(leftMs(call), linkSignals(over.signal, call.signal)).then(() => {
    throw call.signal?.aborted === true
      ? new ConnectError('the caller gave up', Code.Canceled)
      : new ConnectError('the deadline passed while a token was fetched', Code.DeadlineExceeded);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Returns the token that the attempt is made with. */
async function authorize(call: Call, { credentials }: PolicyOptions): Promise<string | undefined> {
  if (call.policy.isPublic || call.header.has('authorization')) return undefined;
  const token = await inTime(call, credentials.token());
  if (token !== undefined) call.header.set('authorization', `Bearer ${token}`);
  return token;
}

/** Whether a call that was refused its token can be made with another one; once for each call. */
async function renew(call: Call, error: unknown, token: string | undefined, options: PolicyOptions): Promise<boolean> {
  // Whoever brings a token of their own keeps it.
  if (token === undefined) return false;
  call.header.delete('authorization');
  const isRefused = error instanceof ConnectError && error.code === Code.Unauthenticated;
  if (!isRefused || call.renewed) return false;
  call.renewed = true;
  return inTime(call, options.credentials.renew(token));
}

/** The request with an id of its own, if the method takes one, so that it can be repeated without a second effect. */
function identify<I extends DescMessage>(input: I, request: MessageInitShape<I>): MessageShape<I> {
  const message = isMessage(request, input) ? clone(input, request) : create(input, request);
  const fields = message as unknown as { requestId?: unknown };
  if (fields.requestId === '') fields.requestId = crypto.randomUUID();
  return message;
}

/** Whether repeating the request has no second effect. */
function isRepeatable({ policy: { retry } }: Call, message: object): boolean {
  return retry === 'always' || (retry === 'with request_id' && 'requestId' in message && message.requestId !== '');
}

function isTransient({ signal, failures }: Call, error: ConnectError): boolean {
  if (signal?.aborted === true) return false;
  // An attempt before this one is still being carried out: its answer got lost.
  const isInProgress = failures > 0 && detailsOf(error).reason === 'REQUEST_IN_PROGRESS';
  return isInProgress || codeOf(error, signal) === Code.Unavailable;
}

/** How long to wait before the next attempt; undefined when there is none. */
function retryAfterMs(call: Call, error: unknown, { budget, maxAttempts }: PolicyOptions): number | undefined {
  if (!(error instanceof ConnectError) || !isTransient(call, error)) return undefined;
  call.failures += 1;
  const mayRetry = budget.spend() && call.failures < maxAttempts;
  const waitMs = Math.max(backoffMs(call.failures), detailsOf(error).retryAfterMs ?? 0);
  return mayRetry && waitMs < leftMs(call) ? waitMs : undefined;
}

async function callUnary<I extends DescMessage, O extends DescMessage>(
  { transport, method, call, options }: Attempts<DescMethodUnary<I, O>>,
  message: MessageShape<I>,
): Promise<UnaryResponse<I, O>> {
  for (;;) {
    const token = await authorize(call, options);
    try {
      const input = message as MessageInitShape<I>;
      const answer = await transport.unary(method, call.signal, timeoutOf(call), call.header, input);
      options.budget.earn();
      return answer;
    } catch (error) {
      if (await renew(call, error, token, options)) continue;
      const waitMs = isRepeatable(call, message) ? retryAfterMs(call, error, options) : undefined;
      if (waitMs === undefined) throw error;
      await pause(waitMs, call.signal);
    }
  }
}

/** Reads all that is sent, so that it can be sent again. */
async function readInput<T>(input: AsyncIterable<T>): Promise<() => AsyncIterable<T>> {
  const messages: T[] = [];
  for await (const message of input) messages.push(message);
  return async function* () {
    yield* messages;
  };
}

/**
 * Opens a stream, which is cancelled when its reader leaves. A token that is refused, be it only when the first message
 * is read, is replaced once.
 */
async function openStream<I extends DescMessage, O extends DescMessage>(
  attempts: Attempts<DescMethodStreaming<I, O>>,
  input: () => AsyncIterable<MessageInitShape<I>>,
): Promise<StreamResponse<I, O>> {
  const { transport, method, call, options } = attempts;
  const token = await authorize(call, options);
  const again = () => openStream(attempts, input);
  const leaving = new AbortController();
  const signal = linkSignals(leaving.signal, call.signal);
  async function* readOn({ message }: StreamResponse<I, O>): AsyncGenerator<MessageShape<O>, void> {
    const messages = message[Symbol.asyncIterator]();
    let isBegun = false;
    try {
      for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
        isBegun = true;
        yield next.value;
      }
    } catch (error) {
      if (isBegun || !(await renew(call, error, token, options))) throw error;
      yield* (await again()).message;
    } finally {
      leaving.abort();
      // Until it is read once more, Connect keeps the timer of the deadline, which would hold the program up.
      messages.next().catch(() => undefined);
    }
  }
  try {
    const answer = await transport.stream(method, signal, timeoutOf(call), call.header, input());
    return { ...answer, message: readOn(answer) };
  } catch (error) {
    if (!(await renew(call, error, token, options))) throw error;
    return again();
  }
}

/**
 * Adds what the contract demands of clients to a transport, so that every client on top of it acts by it: deadlines,
 * retries, request ids, and a fresh token for each attempt.
 */
export function withPolicy(transport: Transport, options: PolicyOptions): Transport {
  const named = (init: ConstructorParameters<typeof Headers>[0]): Headers => {
    const header = new Headers(init);
    if (options.userAgent !== undefined) header.set('user-agent', options.userAgent);
    return header;
  };
  return {
    unary: async (method, ...[signal, timeoutMs, header, request]) => {
      const call = begin(method, signal, timeoutMs, named(header));
      return callUnary({ transport, method, call, options }, identify(method.input, request));
    },
    stream: async (method, ...[signal, timeoutMs, header, input]) => {
      const call = begin(method, signal, timeoutMs, named(header));
      return openStream({ transport, method, call, options }, await readInput(input));
    },
  };
}
