import type { ServiceError } from '@grpc/grpc-js';
import { status as Code } from '@grpc/grpc-js';
import type { MethodPolicy } from '#libs/contract';
import { AppError, kindOfCode } from '#libs/errors';
import type { Status } from '#google/rpc/status';
import { forwardedUserAgentKey } from '../wire/metadata.ts';
import type { MethodDefinition } from '../wire/method.ts';
import { readReceivedStatus, readStatusMessage, type ReceivedStatus } from '../wire/status.ts';
import { attempt } from './attempt.ts';
import { FailedAttempt } from './breaker.ts';
import { classifyFailure, toCalleeError } from './callee-error.ts';
import type { Transport } from './channel.ts';
import { openEdge, prepareCall, type EdgeOptions } from './edge.ts';
import { openStream, readStream } from './stream.ts';

/** An error that a service answered with, to be passed on as it is. */
export class ForwardedError extends AppError {
  readonly status: Status;

  constructor(status: Status, { reason, details }: ReceivedStatus) {
    super(kindOfCode(status.code), reason, status.message, { details });
    this.status = status;
  }
}

/** What the callee is told of the client, besides the ids of the call. */
export interface ForwardedClient {
  authorization: string | undefined;
  userAgent: string;
  /** Its address, which the callee believes because it trusts this process as a proxy. */
  peer: string;
}

/** One method of another service, called with encoded messages. */
export interface ForwardedMethod {
  /** Passes each message of the answer to `send`, one at a time. Throws AppError; ForwardedError when the service answered. */
  forward(request: Buffer, client: ForwardedClient, send: (message: Buffer) => Promise<void>): Promise<void>;
  close(): void;
}

/**
 * A service that answers is not at fault, whatever it answers: the breaker must not keep the calls of others from it
 * because of the calls of one client.
 */
function judge(error: ServiceError, callee: string, full: boolean): FailedAttempt {
  const received = readReceivedStatus(error);
  const message = readStatusMessage(error);
  if (received === undefined || message === undefined || error.code === Code.CANCELLED)
    return new FailedAttempt(toCalleeError(error, callee), classifyFailure(error, full));
  return new FailedAttempt(new ForwardedError({ ...message, code: error.code }, received), 'answered');
}

const asBytes = (bytes: Buffer): Buffer => bytes;

function definitionOf({ path }: MethodPolicy, responseStream: boolean): MethodDefinition {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
}

/** The same guards as in `createClient`, with the client's credentials and none of this process. */
export function createForwardedMethod(
  policy: MethodPolicy,
  responseStream: boolean,
  options: EdgeOptions & { transport: Transport },
): ForwardedMethod {
  const { callee, transport } = options;
  const definition = definitionOf(policy, responseStream);
  const { breaker, observed, onEnd, close } = openEdge(definition, transport, options);

  const prepare = (request: Buffer, { authorization, userAgent, peer }: ForwardedClient) => {
    const prepared = prepareCall(definition, callee, undefined);
    const { metadata, budget } = prepared;
    if (authorization !== undefined) metadata.set('authorization', authorization);
    if (userAgent !== '') metadata.set(forwardedUserAgentKey, userAgent);
    metadata.set('x-forwarded-for', peer);
    return {
      ...prepared,
      transport: transport.client,
      definition,
      request,
      judge: (error: ServiceError) => judge(error, callee, budget.full),
      onIdentity: () => undefined,
      onEnd,
    };
  };
  const forwardUnary: ForwardedMethod['forward'] = async (request, client, send) => {
    const answer = await observed(async () => {
      const prepared = prepare(request, client);
      return breaker().run(() => attempt(prepared));
    });
    await send(answer as Buffer);
  };
  const forwardStream: ForwardedMethod['forward'] = async (request, client, send) => {
    const { stream, ...reading } = await observed(async () => {
      const { signal = new AbortController().signal, ...prepared } = prepare(request, client);
      return { signal, judge: prepared.judge, stream: await breaker().run(() => openStream({ ...prepared, signal })) };
    });
    for await (const message of readStream(stream, reading)) await send(message as Buffer);
  };
  return { forward: responseStream ? forwardStream : forwardUnary, close };
}
