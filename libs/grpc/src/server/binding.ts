import { descriptorOf, policyOf } from '#libs/contract';
import type { CallContext } from '#libs/runtime';
import type { BoundMethod } from '../interceptors/chain.ts';
import type { MethodDefinition, RequestOf, ResponseOf } from '../wire/method.ts';

export type UnaryHandler<Req, Res> = (request: Req, call: CallContext) => Promise<Res>;

/** Yields the messages of a stream. The next one is requested when the transport has accepted the previous one. */
export type ServerStreamHandler<Req, Res> = (request: Req, call: CallContext) => AsyncIterable<Res>;

/** A handler for every method of the definition D, for instance `typeof TasksServiceService`. */
export type Handlers<D> = {
  [M in keyof D]: D[M] extends MethodDefinition
    ? D[M]['responseStream'] extends true
      ? ServerStreamHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
      : UnaryHandler<RequestOf<D[M]>, ResponseOf<D[M]>>
    : never;
};

/** A service with its handlers, created by `bind`. */
export interface ServiceBinding {
  /** "taskflow.tasks.v1.TasksService" */
  service: string;
  methods: readonly BoundMethod[];
}

type UntypedUnary = UnaryHandler<unknown, unknown>;
type UntypedStream = ServerStreamHandler<unknown, unknown>;

function bindMethod(definition: MethodDefinition, handler: unknown): BoundMethod {
  if (definition.requestStream) throw new Error(`${definition.path}: streams of requests are not supported`);
  const invoke: BoundMethod['invoke'] = definition.responseStream
    ? async (request, context, send) => {
        for await (const message of (handler as UntypedStream)(request, context)) {
          // A handler that never waits and ignores its signal would run for ever.
          if (context.signal.aborted) return;
          await send(message);
        }
      }
    : async (request, context, send) => send(await (handler as UntypedUnary)(request, context));
  const policy = policyOf(definition.path);
  return { policy, definition, requestType: descriptorOf(policy).input, invoke };
}

/** Joins a generated service definition and its handlers. Throws when the contract has no policy for a method. */
export function bind<D extends Record<string, MethodDefinition>>(definition: D, handlers: Handlers<D>): ServiceBinding {
  const methods = Object.entries(definition).map(([name, method]) => bindMethod(method, handlers[name as keyof D]));
  const [first] = methods;
  if (first === undefined) throw new Error('a service without methods cannot be bound');
  return { service: first.policy.service, methods };
}
