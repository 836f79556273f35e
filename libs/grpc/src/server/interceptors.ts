import type { Logger, Metrics } from '#libs/runtime';
import type { Authenticator } from '../identity/authenticator.ts';
import { authenticate } from './authenticate.ts';
import { authorize } from './authorize.ts';
import type { Interceptor } from './chain.ts';
import { convertErrors } from './convert-errors.ts';
import { decode } from './decode.ts';
import { handle } from './handle.ts';
import { observe } from './observe.ts';
import { raceDeadline } from './race-deadline.ts';
import { runInContext } from './run-in-context.ts';

export interface InterceptorOptions {
  authenticate: Authenticator;
  logger: Logger;
  metrics: Metrics;
  /** Refuses calls beyond the rate limit of their method. */
  limit?: Interceptor | undefined;
}

/** What happens to every call of every service, from the outside to the inside. */
export function interceptors(options: InterceptorOptions): Interceptor[] {
  return [
    runInContext(),
    observe(options),
    convertErrors(),
    raceDeadline(),
    authenticate(options.authenticate),
    authorize(),
    ...(options.limit === undefined ? [] : [options.limit]),
    decode(),
    handle(),
  ];
}
