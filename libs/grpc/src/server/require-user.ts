import type { CallContext, UserActor } from '#libs/runtime';

/** The signed-in user, for handlers of methods with access user or admin; there it is always known, else the caller has a defect. */
export function requireUser(call: CallContext): UserActor {
  if (call.actor.kind !== 'user') throw new Error(`${call.method} has no user: its access in the contract is not user or admin`);
  return call.actor;
}
