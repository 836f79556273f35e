import type { Interceptor } from './chain.ts';

/** Calls the handler and encodes its answer. */
export function handle(): Interceptor {
  return ({ method, context, request, send }) => {
    const { responseSerialize } = method.definition;
    return method.invoke(request, context, (message) => send(responseSerialize(message as never)));
  };
}
