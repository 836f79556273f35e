import { toAppError } from '#libs/errors';
import type { Interceptor, RunningCall } from './chain.ts';

/** Turns everything thrown that is no AppError into INTERNAL, with the original as the cause. */
export function convertErrors(): Interceptor<RunningCall> {
  return async (_call, next) => {
    try {
      await next();
    } catch (error) {
      throw toAppError(error);
    }
  };
}
