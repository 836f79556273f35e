import type { Logger, Metrics } from '#libs/runtime';
import type { Authenticator } from '../identity/authenticator.ts';
import type { Revocations } from '../identity/revocations.ts';
import { authenticate } from './authenticate.ts';
import { authorize } from './authorize.ts';
import type { Interceptor } from './chain.ts';
import { convertErrors } from './convert-errors.ts';
import { decode } from './decode.ts';
import { handle } from './handle.ts';
import { limitBy } from './limit-by.ts';
import { observe } from './observe.ts';
import { raceDeadline } from './race-deadline.ts';
import { runInContext } from './run-in-context.ts';

export interface InterceptorOptions {
  authenticate: Authenticator;
  /** Sensitive methods refuse while they are stale. */
  revocations?: Pick<Revocations, 'isStale'> | undefined;
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
    // A limit per peer saves the work of checking credentials; one per user has to know the user.
    limitBy('peer', options.limit),
    authenticate(options.authenticate),
    authorize(options.revocations),
    limitBy('user', options.limit),
    decode(),
    handle(),
  ];
}
