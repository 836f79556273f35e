import { AppError } from '#libs/errors';
import { textOf } from '../wire/metadata.ts';
import { serviceTokenKey, type Authenticator } from '../identity/authenticator.ts';
import type { IncomingCall, Interceptor } from './chain.ts';

type Caller = IncomingCall['caller'];

function credentialsOf({ metadata }: IncomingCall): { authorization?: string; serviceToken?: string } {
  const authorization = metadata.get('authorization').length > 1 ? '' : textOf(metadata, 'authorization');
  return { authorization, serviceToken: textOf(metadata, serviceTokenKey) };
}

/** On a public method credentials that do not hold count as none: an expired token must not keep anybody from signing in. */
async function identifyIfPossible(verify: Authenticator, call: IncomingCall): Promise<Caller> {
  const { authorization, serviceToken } = credentialsOf(call);
  const nobody = (): Caller => ({});
  const [user, service] = await Promise.all([
    authorization === undefined ? {} : verify({ authorization }).catch(nobody),
    serviceToken === undefined ? {} : verify({ serviceToken }).catch(nobody),
  ]);
  return { ...user, ...service };
}

function identify(verify: Authenticator, call: IncomingCall): Promise<Caller> {
  const { authorization, serviceToken } = credentialsOf(call);
  switch (call.policy.access) {
    case 'public':
      return identifyIfPossible(verify, call);
    // The two identities are separate: each access looks at its own kind only.
    case 'service':
      return verify({ serviceToken });
    case 'user':
    case 'admin':
      return verify({ authorization });
  }
}

// A token may be revoked, or expire, while a stream is open that was begun with it.
const recheckIntervalMs = 1000;

/** Ends a user's stream with the error that its credentials would meet now. */
function recheck(verify: Authenticator, call: IncomingCall): void {
  identify(verify, call).catch((error: unknown) => {
    // That a token cannot be checked at the moment is no reason to end what began with a good one.
    if (error instanceof AppError && error.kind === 'unauthenticated') call.abort(error);
  });
}

/** Finds out who is calling, as far as the method's access asks for it; of streams, again and again. */
export function authenticate(verify: Authenticator): Interceptor {
  return async (call, next) => {
    call.caller = await identify(verify, call);
    const { user, service } = call.caller;
    if (user !== undefined) call.context.actor = user;
    else if (service !== undefined) call.context.actor = { kind: 'service', service };
    const isUserStream = call.method.definition.responseStream && (call.policy.access === 'user' || call.policy.access === 'admin');
    if (!isUserStream) return next();
    const timer = setInterval(() => recheck(verify, call), recheckIntervalMs);
    const stop = (): void => clearInterval(timer);
    // Also when the handler does not heed its signal: the call is over then, and nothing is left to check.
    call.context.signal.addEventListener('abort', stop, { once: true });
    await next().finally(stop);
  };
}
