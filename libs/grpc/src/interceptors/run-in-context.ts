import { runWithContext } from '#libs/runtime';
import type { Interceptor, RunningCall } from './chain.ts';

/** Makes the call's context the current context of all work for the call. */
export function runInContext(): Interceptor<RunningCall> {
  return (call, next) => runWithContext(call.context, next);
}
