import { runWithContext } from '#libs/runtime';
import type { Interceptor } from './chain.ts';

/** Makes the call's context the current one for everything that happens on its behalf. */
export function runInContext(): Interceptor {
  return (call, next) => runWithContext(call.context, next);
}
