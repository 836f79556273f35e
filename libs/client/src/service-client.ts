import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { toTaskFlowError } from './errors.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /** Less than the deadline that the contract gives to the method. */
  timeoutMs?: number;
  /** Names the call in the logs of the services (`x-request-id`). By default a UUID. */
  callId?: string;
  headers?: Record<string, string>;
}

/** Rejects with TaskFlowError. */
export interface UnaryCall<I extends DescMessage, O extends DescMessage> {
  (request: MessageInitShape<I>, options?: CallOptions): Promise<MessageShape<O>>;
  readonly method: DescMethodUnary<I, O>;
}

/** Begins with its iteration and is cancelled by leaving the loop. Throws TaskFlowError. */
export interface StreamCall<I extends DescMessage, O extends DescMessage> {
  (request: MessageInitShape<I>, options?: CallOptions): AsyncIterable<MessageShape<O>>;
  readonly method: DescMethodServerStreaming<I, O>;
}

type CallOf<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryCall<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? StreamCall<I, O>
      : never;

/** The methods of a service, by the names of the contract. */
export type ServiceClient<S extends DescService> = { readonly [M in keyof S['method']]: CallOf<S['method'][M]> };

/** The parts of a call that are settled before it begins. */
function prepare(method: DescMethod, { signal, callId = crypto.randomUUID(), headers }: CallOptions) {
  const header = new Headers(headers);
  header.set('x-request-id', callId);
  const failed = (error: unknown): Error => toTaskFlowError(error, { method, signal, callId });
  return { header, failed };
}

function unaryCall<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  transport: Transport,
): UnaryCall<I, O> {
  const call = async (request: MessageInitShape<I>, options: CallOptions = {}): Promise<MessageShape<O>> => {
    const { header, failed } = prepare(method, options);
    try {
      return (await transport.unary(method, options.signal, options.timeoutMs, header, request)).message;
    } catch (error) {
      throw failed(error);
    }
  };
  return Object.assign(call, { method });
}

async function* one<T>(message: T): AsyncGenerator<T> {
  yield message;
}

function streamCall<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  transport: Transport,
): StreamCall<I, O> {
  const call = async function* (
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>, void> {
    const { header, failed } = prepare(method, options);
    try {
      const answer = await transport.stream(method, options.signal, options.timeoutMs, header, one(request));
      yield* answer.message;
    } catch (error) {
      throw failed(error);
    }
  };
  return Object.assign(call, { method });
}

/** No method of the contract takes a stream of requests. */
function callOf(method: DescMethod, transport: Transport): unknown {
  if (method.methodKind === 'unary') return unaryCall(method as DescMethodUnary, transport);
  if (method.methodKind === 'server_streaming') return streamCall(method as DescMethodServerStreaming, transport);
  throw new TypeError(`${method.parent.typeName}/${method.name}: streams of requests are not supported`);
}

/** Calls of all methods of a service. */
export function createServiceClient<S extends DescService>(service: S, transport: Transport): ServiceClient<S> {
  const calls = service.methods.map((method) => [method.localName, callOf(method, transport)] as const);
  return Object.fromEntries(calls) as ServiceClient<S>;
}
