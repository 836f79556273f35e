import { Metadata } from '@grpc/grpc-js';
import type { MethodPolicy, ServiceName } from '#libs/contract';
import { AppError, toAppError } from '#libs/errors';
import type { Status } from '#google/rpc/status';
import type { Certificates, Logger, Metrics } from '#libs/runtime';
import { acquireTransport, type Transport } from '../client/channel.ts';
import {
  createForwardedMethod,
  ForwardedError,
  type ForwardedClient,
  type ForwardedMethod,
} from '../client/forward.ts';
import { chain, type Interceptor, type RunningCall } from '../interceptors/chain.ts';
import { convertErrors } from '../interceptors/convert-errors.ts';
import { observe } from '../interceptors/observe.ts';
import { raceDeadline } from '../interceptors/race-deadline.ts';
import { runInContext } from '../interceptors/run-in-context.ts';
import { openCall } from '../server/call-context.ts';
import { createOpenCalls } from '../transport/open-calls.ts';
import { deadlineAfter } from '../wire/call-timeout.ts';
import { requestIdKey } from '../wire/request-id.ts';
import { toStatusMessage } from '../wire/status.ts';
import { traceParentKey } from '../wire/trace-parent.ts';

/** A method and the service that serves it. */
export interface ForwardedRoute {
  callee: ServiceName;
  policy: MethodPolicy;
  responseStream: boolean;
}

/** One call of a client. */
export interface ClientCall {
  route: ForwardedRoute;
  /** The ids that the client sent. */
  requestId: string | undefined;
  traceParent: string | undefined;
  client: ForwardedClient;
  /** What the client allows; the contract's deadline holds as well. */
  timeoutMs: number | undefined;
  /** Reads the encoded request; resolves to an error when what came is no request. Throws AppError. */
  read(): Promise<Buffer | AppError>;
  /** Passes an encoded message of the answer on. Resolves when the next one may follow. */
  send(message: Buffer): Promise<void>;
}

/** Why a call failed, as the client is told. */
export interface CallFailure {
  status: Status;
  retryAfterMs: number | undefined;
}

export interface ForwardedCall {
  readonly requestId: string;
  /** Resolves when the call is over; never rejects. */
  readonly end: Promise<CallFailure | undefined>;
  /** The client is gone. */
  cancel(): void;
  abort(reason: AppError): void;
}

/** Passes calls on to the services. */
export interface Forwarder {
  forward(call: ClientCall): ForwardedCall;
  /** Ends the streams, which do not end by themselves. */
  endStreams(): void;
  endAll(): void;
  close(): void;
}

export interface ForwarderOptions {
  addresses: Readonly<Record<ServiceName, string>>;
  /** What secures the calls. Default: plaintext. */
  certificates?: Certificates | undefined;
  /** Calls of one method that may be in flight. */
  maxInFlight: number;
  logger: Logger;
  metrics: Metrics;
}

interface ForwardingCall extends RunningCall {
  incoming: ClientCall;
}

export function toFailure(error: AppError, requestId: string): CallFailure {
  const status = error instanceof ForwardedError ? error.status : toStatusMessage(error, requestId);
  return { status, retryAfterMs: error.details.retryAfterMs };
}

function metadataOf({ requestId, traceParent, client }: ClientCall): Metadata {
  const metadata = new Metadata();
  if (requestId !== undefined) metadata.set(requestIdKey, requestId);
  if (traceParent !== undefined) metadata.set(traceParentKey, traceParent);
  metadata.set('user-agent', client.userAgent);
  return metadata;
}

const shuttingDown = (): AppError =>
  new AppError('unavailable', 'SHUTTING_DOWN', 'the server is shutting down', { details: { retryAfterMs: 0 } });

/** The methods of all services, each opened by its first call. */
function openMethods({ addresses, certificates, maxInFlight, logger, metrics }: ForwarderOptions) {
  const transports = new Map<ServiceName, Transport>();
  const methods = new Map<string, ForwardedMethod>();
  const transportOf = (callee: ServiceName): Transport => {
    const transport = transports.get(callee) ?? acquireTransport({ callee, address: addresses[callee], certificates });
    transports.set(callee, transport);
    return transport;
  };
  const open = ({ callee, policy, responseStream }: ForwardedRoute): ForwardedMethod =>
    createForwardedMethod(policy, responseStream, {
      callee,
      logger,
      metrics,
      breaker: { maxInFlight },
      transport: transportOf(callee),
    });
  return {
    find: (route: ForwardedRoute): ForwardedMethod => {
      const key = `${route.callee} ${route.policy.path}`;
      const method = methods.get(key) ?? open(route);
      methods.set(key, method);
      return method;
    },
    close: () => {
      for (const method of methods.values()) method.close();
      for (const transport of transports.values()) transport.release();
    },
  };
}

/** No message of any type. */
const undecodable = Buffer.from([0xff]);

/**
 * Asks the service before anything is told of what is no request: so that the service counts the call against its limits
 * and looks at the credentials first, as it does when it decodes requests itself. Throws what the service says, and
 * `fault` where it says no more than that it cannot decode the request.
 */
async function refuseBy(method: ForwardedMethod, client: ForwardedClient, fault: AppError): Promise<never> {
  const discard = async (): Promise<void> => undefined;
  await method.forward(undecodable, client, discard).catch((error: unknown) => {
    if (!(error instanceof ForwardedError) || error.reason !== 'MALFORMED_REQUEST') throw error;
  });
  throw fault;
}

/** Opens clients of all services. A call passes the stages of a service's calls that need no credentials. */
export function openForwarder(options: ForwarderOptions): Forwarder {
  const { logger, metrics } = options;
  const methods = openMethods(options);
  const openCalls = createOpenCalls();
  const forwardCall: Interceptor<ForwardingCall> = async ({ incoming: { route, client, read }, send }) => {
    const request = await read();
    const method = methods.find(route);
    await (request instanceof AppError ? refuseBy(method, client, request) : method.forward(request, client, send));
  };
  const run = chain<ForwardingCall>([
    runInContext(),
    observe({ logger, metrics }),
    convertErrors(),
    raceDeadline(),
    forwardCall,
  ]);

  const forward = (incoming: ClientCall): ForwardedCall => {
    const { route, client, timeoutMs } = incoming;
    const { policy } = route;
    const metadata = metadataOf(incoming);
    const opened = openCall({ policy, metadata, peer: client.peer, clientDeadline: deadlineAfter(timeoutMs), logger });
    const { context, abort, cancel, whenAborted } = opened;
    const endable = { stream: route.responseStream, peer: client.peer, abort };
    openCalls.add(endable);
    const call = { policy, context, metadata, caller: {}, send: incoming.send, whenAborted, incoming };
    const end = run(call)
      .then(() => undefined)
      .catch((error: unknown) => toFailure(toAppError(error), context.requestId))
      .finally(() => {
        opened.close();
        openCalls.remove(endable);
      });
    return { requestId: context.requestId, end, cancel, abort };
  };
  return {
    forward,
    endStreams: () => openCalls.abortStreams(shuttingDown()),
    endAll: () => openCalls.abortAll(shuttingDown()),
    close: methods.close,
  };
}
