import type { DescMessage } from '@bufbuild/protobuf';
import { fileRegistry, policyOf, type MethodPolicy } from '#libs/contract';
import type { CallContext } from '#libs/runtime';

/** One method of a service definition as ts-proto generates it. */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  // Never called with these types: `never` and `unknown` let every generated method fit.
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (value: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (value: Buffer) => unknown;
}

export type RequestOf<M extends MethodDefinition> = Parameters<M['requestSerialize']>[0];
export type ResponseOf<M extends MethodDefinition> = Parameters<M['responseSerialize']>[0];

export type UnaryHandler<Req, Res> = (request: Req, call: CallContext) => Promise<Res>;

/**
 * Yields the messages of a stream. It is ended by the call's signal; what it yields is sent with back-pressure: the next
 * value is asked for once the one before has been taken by the transport.
 */
export type ServerStreamHandler<Req, Res> = (request: Req, call: CallContext) => AsyncIterable<Res>;

/** A handler for every method of the definition D, for instance `typeof TasksServiceService`. */
export type Handlers<D> = {
  [M in keyof D]: D[M] extends MethodDefinition
    ? D[M]['responseStream'] extends true
      ? ServerStreamHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
      : UnaryHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
    : never;
};

/** A method with its handler, free of its types. */
export interface BoundMethod {
  policy: MethodPolicy;
  definition: MethodDefinition;
  requestType: DescMessage;
  /** Calls the handler; every message of its answer goes to `send`, one at a time. */
  invoke(request: unknown, context: CallContext, send: (message: unknown) => Promise<void>): Promise<void>;
}

/** A service that a server can offer; made by `bind`. */
export interface ServiceBinding {
  /** "taskflow.tasks.v1.TasksService" */
  service: string;
  methods: readonly BoundMethod[];
}

type UntypedUnary = UnaryHandler<unknown, unknown>;
type UntypedStream = ServerStreamHandler<unknown, unknown>;

function requestTypeOf({ service, method, path }: MethodPolicy): DescMessage {
  const descriptor = fileRegistry.getService(service)?.methods.find(({ name }) => name === method);
  if (descriptor === undefined) throw new Error(`the contract has no descriptor of ${path}`);
  return descriptor.input;
}

function bindMethod(definition: MethodDefinition, handler: unknown): BoundMethod {
  if (definition.requestStream) throw new Error(`${definition.path}: streams of requests are not supported`);
  const invoke: BoundMethod['invoke'] = definition.responseStream
    ? async (request, context, send) => {
        for await (const message of (handler as UntypedStream)(request, context)) {
          // A handler that never waits and does not look at its signal would keep the process busy for ever.
          if (context.signal.aborted) return;
          await send(message);
        }
      }
    : async (request, context, send) => send(await (handler as UntypedUnary)(request, context));
  const policy = policyOf(definition.path);
  return { policy, definition, requestType: requestTypeOf(policy), invoke };
}

/** Joins a generated service definition with its handlers. Throws when the contract has no policy for one of its methods. */
export function bind<D extends Record<string, MethodDefinition>>(definition: D, handlers: Handlers<D>): ServiceBinding {
  const methods = Object.entries(definition).map(([name, method]) => bindMethod(method, handlers[name as keyof D]));
  const [first] = methods;
  if (first === undefined) throw new Error('a service without methods cannot be bound');
  return { service: first.policy.service, methods };
}
