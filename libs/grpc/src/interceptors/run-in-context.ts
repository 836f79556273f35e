import { runWithContext } from '#libs/runtime';
import type { Interceptor } from './chain.ts';

/** Makes the call's context the current context of all work for the call. */
export function runInContext(): Interceptor {
  return (call, next) => runWithContext(call.context, next);
}
