import { Client, credentials, Metadata, type ChannelOptions, type ServiceError } from '@grpc/grpc-js';
import { kindOfCode, type ErrorDetails, type ErrorKind } from '#libs/errors';
import { callIdKey } from '../wire/call-id.ts';
import { codeOf, isUnsent, readToldStatus } from '../wire/status.ts';

interface Method {
  path: string;
  responseStream: boolean;
  requestSerialize: (value: unknown) => Buffer;
  requestDeserialize: (value: Buffer) => object;
  responseDeserialize: (value: Buffer) => unknown;
}

/** The parts of a method's definition (ts-proto, outputServices=grpc-js) that a call needs. */
type RequestOf<M> = M extends { requestSerialize: (value: infer Req) => Buffer } ? Req : never;
type ResponseOf<M> = M extends { responseDeserialize: (value: Buffer) => infer Res } ? Res : never;

export interface PublicCallOptions {
  /** An access token. */
  token?: string;
  /** When left out: 15 000, and for a stream as long as the server lets it go on. */
  timeoutMs?: number;
  /** Sent as x-request-id. */
  callId?: string;
  metadata?: Record<string, string>;
  signal?: AbortSignal;
}

type AnswerOf<M> = M extends { responseStream: true } ? AsyncGenerator<ResponseOf<M>, void> : Promise<ResponseOf<M>>;

/**
 * Fields of the request may be left out; messages inside it are complete (`Task.fromPartial`). A stream begins when its
 * first message is asked for, takes the next ones as they are asked for, and is cancelled by leaving the loop.
 */
export type PublicClient<D> = {
  [M in keyof D]: (request: Partial<RequestOf<D[M]>>, options?: PublicCallOptions) => AnswerOf<D[M]>;
} & { close(): void };

/** A status other than OK as a client outside the cluster sees it. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: number;
  readonly kind: ErrorKind;
  /** google.rpc.ErrorInfo.reason; undefined when no TaskFlow service answered. */
  readonly reason: string | undefined;
  readonly details: ErrorDetails;
  /** The tracing id that the answer carries. */
  readonly callId: string | undefined;
  /** Its connection ended before the call left this client; only a client that resends nothing gets to see that. */
  readonly isUnsent: boolean;
  /** The serialized google.rpc.Status. */
  readonly statusBytes: Buffer | undefined;

  constructor(path: string, error: ServiceError) {
    super(`${path}: ${error.message}`, { cause: error });
    const told = readToldStatus(error);
    this.code = codeOf(error);
    this.kind = kindOfCode(this.code);
    this.reason = told?.reason;
    this.details = told?.details ?? {};
    this.callId = error.metadata?.get(callIdKey)[0]?.toString();
    this.isUnsent = isUnsent(error);
    const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
    this.statusBytes = Buffer.isBuffer(bytes) ? bytes : undefined;
  }
}

function toMetadata(options: PublicCallOptions): Metadata {
  const metadata = new Metadata();
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
  if (options.callId !== undefined) metadata.set(callIdKey, options.callId);
  for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value);
  return metadata;
}

/** Encoding reads every field, so those that were left out get their defaults first. */
function serialize(method: Method, request: object): Buffer {
  return method.requestSerialize({ ...method.requestDeserialize(Buffer.alloc(0)), ...request });
}

function callUnary(channel: Client, method: Method, request: object, options: PublicCallOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = channel.makeUnaryRequest(
      method.path,
      (value: object) => serialize(method, value),
      method.responseDeserialize,
      request,
      toMetadata(options),
      { deadline: Date.now() + (options.timeoutMs ?? 15_000) },
      (error, response) => (error === null ? resolve(response) : reject(new CallError(method.path, error))),
    );
    options.signal?.addEventListener('abort', () => call.cancel(), { once: true });
  });
}

async function* callStream(channel: Client, method: Method, request: object, options: PublicCallOptions): AsyncGenerator<unknown, void> {
  const call = channel.makeServerStreamRequest(
    method.path,
    (value: object) => serialize(method, value),
    method.responseDeserialize,
    request,
    toMetadata(options),
    { deadline: options.timeoutMs === undefined ? Infinity : Date.now() + options.timeoutMs },
  );
  // The cancelled call reports itself once more when nobody reads it any longer.
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

export interface PublicClientOptions {
  /** Calls go to all addresses of the target in turn; left out: to the first that answers. */
  roundRobin?: boolean;
  /** false: nothing is ever sent twice, not even what no server has looked at, as every gRPC client does by itself. */
  resend?: boolean;
}

function channelOptions({ roundRobin = false, resend = true }: PublicClientOptions): ChannelOptions {
  return {
    'grpc.enable_retries': resend ? 1 : 0,
    'grpc.max_reconnect_backoff_ms': 1000,
    ...(roundRobin && { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) }),
  };
}

/**
 * A client for programs outside the cluster: no breaker, no service identity, no retries of its own. Rejects with
 * CallError. `definition` is a service definition of the contract, for instance TasksServiceService. The caller closes it.
 */
export function openPublicClient<D extends object>(definition: D, address: string, options: PublicClientOptions = {}): PublicClient<D> {
  const channel = new Client(address, credentials.createInsecure(), channelOptions(options));
  const methods = Object.entries(definition).map(([name, method]: [string, Method]) => {
    const answer = method.responseStream ? callStream : callUnary;
    const call = (request: object, options: PublicCallOptions = {}) => answer(channel, method, request, options);
    return [name, call] as const;
  });
  return { ...Object.fromEntries(methods), close: () => channel.close() } as PublicClient<D>;
}
