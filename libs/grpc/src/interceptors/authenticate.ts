import type { ServiceName } from '#libs/contract';
import { AppError, type ErrorKind } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { serviceTokenKey, textOf } from '../wire/metadata.ts';
import type { IncomingCall, Interceptor } from './chain.ts';

/**
 * Identifies the owners of the credentials, if there are any. Throws UNAUTHENTICATED / TOKEN_INVALID for an invalid
 * token, always with the same message, and UNAVAILABLE / KEYS_UNAVAILABLE or TOKENS_UNAVAILABLE when it cannot be
 * checked.
 */
export type Authenticator = (credentials: {
  /** The metadata "authorization": "Bearer …". */
  authorization?: string | undefined;
  /** The metadata "x-taskflow-service". */
  serviceToken?: string | undefined;
  /** They were valid when the call began. It throws TOKENS_UNAVAILABLE only if that may have changed. */
  isOpen?: boolean;
  /** A token that was valid and has been revoked stands for a user who is `ended`. */
  acceptsEnded?: boolean;
}) => Promise<{ user?: UserActor; service?: ServiceName }>;

type Caller = IncomingCall['caller'];

function credentialsOf({ metadata }: IncomingCall): { authorization?: string; serviceToken?: string } {
  const authorization = metadata.get('authorization').length > 1 ? '' : textOf(metadata, 'authorization');
  return { authorization, serviceToken: textOf(metadata, serviceTokenKey) };
}

/** A public method ignores invalid credentials: an expired token must not keep anybody from signing in. */
async function identifyIfPossible(verify: Authenticator, call: IncomingCall): Promise<Caller> {
  const { authorization, serviceToken } = credentialsOf(call);
  const nobody = (): Caller => ({});
  const [user, service] = await Promise.all([
    authorization === undefined ? {} : verify({ authorization }).catch(nobody),
    serviceToken === undefined ? {} : verify({ serviceToken }).catch(nobody),
  ]);
  return { ...user, ...service };
}

function identify(verify: Authenticator, call: IncomingCall, isOpen = false): Promise<Caller> {
  const { authorization, serviceToken } = credentialsOf(call);
  switch (call.policy.access) {
    case 'public':
      return identifyIfPossible(verify, call);
    // Each access checks only its own kind of identity.
    case 'service':
      return verify({ serviceToken });
    case 'user':
    case 'admin':
      return verify({ authorization, isOpen, acceptsEnded: call.policy.endsOwnToken });
  }
}

// A token may be revoked or expire while a stream is open.
const recheckIntervalMs = 1000;

/**
 * The same credentials stand for another role now: a session's tokens end with the role, a personal token does not. What
 * the stream shows was decided by the role that it began with.
 */
function assertSameRole({ caller }: IncomingCall, { user }: Caller): void {
  if (user?.role !== caller.user?.role)
    throw new AppError('unauthenticated', 'TOKEN_INVALID', 'the role of the account has changed; begin again');
}

/** Ends a user's stream when its credentials are no longer valid, or stand for another role. */
function recheck(verify: Authenticator, call: IncomingCall): void {
  const check = async (): Promise<void> => assertSameRole(call, await identify(verify, call, true));
  check().catch((error: unknown) => {
    // The stream began with a valid token. Another failure to check it now does not end the stream.
    const isOver =
      error instanceof AppError && (error.kind === 'unauthenticated' || error.reason === 'TOKENS_UNAVAILABLE');
    if (isOver) call.abort(error);
  });
}

const tellNothing = new Set<ErrorKind>(['invalid_argument', 'permission_denied', 'not_found', 'failed_precondition']);

/** A token that has ended is refused in one way, whatever is wrong beside it. */
function refuseEnded(error: unknown): never {
  if (!(error instanceof AppError) || !tellNothing.has(error.kind)) throw error;
  throw new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid', { cause: error.reason });
}

/** Identifies the caller, as far as the method's access needs it. Checks users' streams again every second. */
export function authenticate(verify: Authenticator): Interceptor {
  return async (call, next) => {
    call.caller = await identify(verify, call);
    const { user, service } = call.caller;
    if (user !== undefined) call.context.actor = user;
    else if (service !== undefined) call.context.actor = { kind: 'service', service };
    if (user?.ended === true) return next().catch(refuseEnded);
    const isUserStream =
      call.method.definition.responseStream && (call.policy.access === 'user' || call.policy.access === 'admin');
    if (!isUserStream) return next();
    const timer = setInterval(() => recheck(verify, call), recheckIntervalMs);
    const stop = (): void => clearInterval(timer);
    // The handler may ignore its signal, but the call is over.
    call.context.signal.addEventListener('abort', stop, { once: true });
    await next().finally(stop);
  };
}
