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

/** Finds out who is calling, as far as the method's access asks for it. */
export function authenticate(verify: Authenticator): Interceptor {
  return async (call, next) => {
    call.caller = await identify(verify, call);
    const { user, service } = call.caller;
    if (user !== undefined) call.context.actor = user;
    else if (service !== undefined) call.context.actor = { kind: 'service', service };
    await next();
  };
}
