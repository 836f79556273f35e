import { newCallId } from '#libs/runtime';

/** The metadata that carries the tracing id of a call, in requests and in answers. */
export const callIdKey = 'x-request-id';

// A token that a client put into the wrong metadata must not be logged: not what begins like a refresh token or a JWT.
const acceptable = /^(?!tfr_|eyJ)[A-Za-z0-9._-]{1,128}$/;

/** The client's id when it is safe to log and to send on, else a new one. */
export function acceptCallId(offered: string | undefined): string {
  return offered !== undefined && acceptable.test(offered) ? offered : newCallId();
}
