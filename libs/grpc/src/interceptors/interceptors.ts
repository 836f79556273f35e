import type { Certificates, Logger, Metrics } from '#libs/runtime';
import { authenticate, type Authenticator } from './authenticate.ts';
import { authorize, type RevocationState } from './authorize.ts';
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
  /** Sensitive methods refuse while they are stale. Default: never stale. */
  revocations?: RevocationState | undefined;
  /** In the mode `mutual`, internal methods ask for a client certificate. Default: none does. */
  certificates?: Pick<Certificates, 'mode'> | undefined;
  logger: Logger;
  metrics: Metrics;
  /** Refuses calls beyond the rate limit of their method: per peer before authentication, per user after it. */
  limit?: Interceptor | undefined;
}

/** The stages of every call of every service, the outermost first. */
export function interceptors(options: InterceptorOptions): Interceptor[] {
  return [
    runInContext(),
    observe(options),
    convertErrors(),
    raceDeadline(),
    // Limits per peer come first and save the check of credentials. Limits per user need the user.
    limitBy('peer', options.limit),
    authenticate(options.authenticate),
    authorize({ revocations: options.revocations, requiresCertificate: options.certificates?.mode === 'mutual' }),
    limitBy('user', options.limit),
    decode(),
    handle(),
  ];
}
