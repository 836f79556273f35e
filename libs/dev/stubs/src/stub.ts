import { Client, Metadata, type ChannelOptions, type ServiceError } from '@grpc/grpc-js';
import { kindOfCode, type ErrorDetails, type ErrorKind } from '#libs/errors';
import { channelCredentials } from '#libs/grpc';
import type { Certificates } from '#libs/runtime';
import { deadlineAfter } from '../../../grpc/src/wire/call-timeout.ts';
import { clientErrors } from '../../../grpc/src/wire/grpc-js-internals.ts';
import type { MethodDefinition, RequestOf, ResponseOf } from '../../../grpc/src/wire/method.ts';
import { codeOf, readReceivedStatus } from '../../../grpc/src/wire/status.ts';

interface Method extends MethodDefinition {
  requestSerialize: (value: unknown) => Buffer;
  requestDeserialize: (value: Buffer) => object;
}

export interface StubCallOptions {
  /** An access token. */
  token?: string;
  /** Default: 15 000; none for a stream. */
  timeoutMs?: number;
  /** Sent as x-request-id. */
  requestId?: string;
  metadata?: Record<string, string>;
  signal?: AbortSignal;
}

type AnswerOf<M> = M extends { responseStream: true } ? AsyncGenerator<ResponseOf<M>, void> : Promise<ResponseOf<M>>;

/**
 * Fields of the request may be left out; messages inside it are complete (`Task.fromPartial`). A stream starts with its
 * iteration, reads one message at a time, and is cancelled by leaving the loop.
 */
export type Stub<D> = {
  [M in keyof D]: (request: Partial<RequestOf<D[M]>>, options?: StubCallOptions) => AnswerOf<D[M]>;
} & { close(): void };

/** A status other than OK as it arrived. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: number;
  readonly kind: ErrorKind;
  /** google.rpc.ErrorInfo.reason; undefined when no TaskFlow service answered. */
  readonly reason: string | undefined;
  readonly details: ErrorDetails;
  /** The request id in the answer. */
  readonly requestId: string | undefined;
  /** The connection ended before the call left this client. Only with `resend: false`. */
  readonly isUnsent: boolean;
  /** The serialized google.rpc.Status. */
  readonly statusBytes: Buffer | undefined;

  constructor(path: string, error: ServiceError) {
    super(`${path}: ${error.message}`, { cause: error });
    const received = readReceivedStatus(error);
    this.code = codeOf(error);
    this.kind = kindOfCode(this.code);
    this.reason = received?.reason;
    this.details = received?.details ?? {};
    this.requestId = error.metadata?.get('x-request-id')[0]?.toString();
    this.isUnsent = [clientErrors.refused, clientErrors.notStarted].some((text) => error.details.startsWith(text));
    const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
    this.statusBytes = Buffer.isBuffer(bytes) ? bytes : undefined;
  }
}

function toMetadata(options: StubCallOptions): Metadata {
  const metadata = new Metadata();
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
  if (options.requestId !== undefined) metadata.set('x-request-id', options.requestId);
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  return metadata;
}

/** Encoders read every field, so missing fields get their defaults first. */
function serialize(method: Method, request: object): Buffer {
  return method.requestSerialize({ ...method.requestDeserialize(Buffer.alloc(0)), ...request });
}

/** The arguments that grpc-js takes for both kinds of calls. */
function argumentsOf(method: Method, request: object, options: StubCallOptions, timeoutMs: number | undefined) {
  const encode = (value: object): Buffer => serialize(method, value);
  const deadline = deadlineAfter(timeoutMs);
  return [method.path, encode, method.responseDeserialize, request, toMetadata(options), { deadline }] as const;
}

function callUnary(channel: Client, method: Method, request: object, options: StubCallOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = channel.makeUnaryRequest(
      ...argumentsOf(method, request, options, options.timeoutMs ?? 15_000),
      (error, response) => (error === null ? resolve(response) : reject(new CallError(method.path, error))),
    );
    options.signal?.addEventListener('abort', () => call.cancel(), { once: true });
  });
}

async function* callStream(
  channel: Client,
  method: Method,
  request: object,
  options: StubCallOptions,
): AsyncGenerator<unknown, void> {
  const call = channel.makeServerStreamRequest(...argumentsOf(method, request, options, options.timeoutMs));
  // A cancelled call emits an error even when nothing reads it any more.
  call.on('error', () => undefined);
  const cancel = (): void => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  try {
    yield* call as AsyncIterable<unknown>;
  } catch (error) {
    throw new CallError(method.path, error as ServiceError);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    cancel();
  }
}

export interface StubOptions {
  /** Distributes calls over all addresses of the target. Default: the first address that answers. */
  roundRobin?: boolean;
  /** false: never sends a call again. By default gRPC clients resend calls that no server has processed. */
  resend?: boolean;
  /** `openClientCertificates` reads them from the settings. Without: plaintext. */
  certificates?: Certificates | undefined;
}

function channelOptions({ roundRobin = false, resend = true }: StubOptions): ChannelOptions {
  return {
    'grpc.enable_retries': resend ? 1 : 0,
    'grpc.max_reconnect_backoff_ms': 1000,
    ...(roundRobin && { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) }),
  };
}

/**
 * The generated stub of a service as functions: gRPC as it is, without the deadlines, retries and sessions of the client
 * package, for those who look at servers and not at clients. Rejects with CallError. `definition` is a service definition
 * of the contract, for instance TasksServiceService. The caller closes it.
 */
export function openStub<D extends object>(definition: D, address: string, options: StubOptions = {}): Stub<D> {
  const { credentials, options: names } = channelCredentials(options.certificates, address);
  const channel = new Client(address, credentials, { ...channelOptions(options), ...names });
  const methods = Object.entries(definition).map(([name, method]: [string, Method]) => {
    const answer = method.responseStream ? callStream : callUnary;
    const call = (request: object, options: StubCallOptions = {}) => answer(channel, method, request, options);
    return [name, call] as const;
  });
  return { ...Object.fromEntries(methods), close: () => channel.close() } as Stub<D>;
}
