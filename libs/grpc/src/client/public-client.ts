import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { kindOfCode, type ErrorDetails, type ErrorKind } from '#libs/errors';
import { callIdKey } from '../wire/call-id.ts';
import { readToldStatus } from '../wire/status.ts';

interface UnaryMethod {
  path: string;
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
  /** 15 000 when left out. */
  timeoutMs?: number;
  /** Sent as x-request-id. */
  callId?: string;
  metadata?: Record<string, string>;
  signal?: AbortSignal;
}

/** Fields of the request may be left out; messages inside it are complete (`Task.fromPartial`). */
export type PublicClient<D> = {
  [M in keyof D]: (request: Partial<RequestOf<D[M]>>, options?: PublicCallOptions) => Promise<ResponseOf<D[M]>>;
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
  /** The serialized google.rpc.Status. */
  readonly statusBytes: Buffer | undefined;

  constructor(path: string, error: ServiceError) {
    super(`${path}: ${error.message}`, { cause: error });
    const told = readToldStatus(error);
    this.code = error.code;
    this.kind = kindOfCode(error.code);
    this.reason = told?.reason;
    this.details = told?.details ?? {};
    this.callId = error.metadata?.get(callIdKey)[0]?.toString();
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
function serialize(method: UnaryMethod, request: object): Buffer {
  return method.requestSerialize({ ...method.requestDeserialize(Buffer.alloc(0)), ...request });
}

function callUnary(channel: Client, method: UnaryMethod, request: object, options: PublicCallOptions): Promise<unknown> {
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

/**
 * A client for programs outside the cluster: no breaker, no service identity, no retries of its own. Rejects with
 * CallError. `definition` is a service definition of the contract, for instance TasksServiceService. The caller closes it.
 */
export function openPublicClient<D extends object>(definition: D, address: string): PublicClient<D> {
  const channel = new Client(address, credentials.createInsecure(), { 'grpc.max_reconnect_backoff_ms': 1000 });
  const methods = Object.entries(definition).map(([name, method]: [string, UnaryMethod]) => {
    const call = (request: object, options: PublicCallOptions = {}): Promise<unknown> => callUnary(channel, method, request, options);
    return [name, call] as const;
  });
  return { ...Object.fromEntries(methods), close: () => channel.close() } as PublicClient<D>;
}
