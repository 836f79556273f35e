import { toAppError } from '#libs/errors';
import type { Interceptor } from './chain.ts';

/** Outside of here there are only AppErrors: whatever else was thrown becomes INTERNAL with the original as its cause. */
export function convertErrors(): Interceptor {
  return async (_call, next) => {
    try {
      await next();
    } catch (error) {
      throw toAppError(error);
    }
  };
}
