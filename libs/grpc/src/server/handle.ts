import type { Interceptor } from './chain.ts';

/** The innermost stage: the handler, and the encoding of what it answers. */
export function handle(): Interceptor {
  return ({ method, context, request, send }) => {
    const { responseSerialize } = method.definition;
    return method.invoke(request, context, (message) => send(responseSerialize(message as never)));
  };
}
