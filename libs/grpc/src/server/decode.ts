import { AppError } from '#libs/errors';
import { checkStructure } from './check-structure.ts';
import type { Interceptor } from './chain.ts';

/** Turns the bytes of the request into its message, or refuses them. */
export function decode(): Interceptor {
  return async (call, next) => {
    const { requestType, definition } = call.method;
    try {
      checkStructure(requestType, call.requestBytes);
      call.request = definition.requestDeserialize(call.requestBytes);
    } catch (cause) {
      throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not a valid message of its type', { cause });
    }
    await next();
  };
}
