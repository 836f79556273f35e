import type { CallContext, UserActor } from '#libs/runtime';

/** The signed-in user. Throws in methods whose access is not user or admin. */
export function requireUser(call: CallContext): UserActor {
  if (call.actor.kind !== 'user')
    throw new Error(`${call.method} has no user: its access in the contract is not user or admin`);
  return call.actor;
}
