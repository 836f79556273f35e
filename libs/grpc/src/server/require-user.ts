import { AppError } from '#libs/errors';
import type { CallContext, UserActor } from '#libs/runtime';

/**
 * The signed-in user. Throws in methods whose access is not user or admin, and TOKEN_INVALID for a token that has ended.
 */
export function requireUser(call: CallContext): UserActor {
  const user = requireUserOrEnded(call);
  if (user.ended === true) throw new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid');
  return user;
}

/** For methods that end their own token: when `ended` is set, nothing may be done but to recall a recorded answer. */
export function requireUserOrEnded(call: CallContext): UserActor {
  if (call.actor.kind !== 'user')
    throw new Error(`${call.method} has no user: its access in the contract is not user or admin`);
  return call.actor;
}
