import { newRequestId } from '#libs/runtime';

/** The metadata key for the tracing id of a call, in requests and answers. */
export const requestIdKey = 'x-request-id';

// Rejects what begins like a refresh token or a JWT, because ids are logged and a client may send a token by mistake.
const acceptable = /^(?!tfr_|eyJ)[A-Za-z0-9._-]{1,128}$/;

/** The client's id when it is safe to log and to pass on, otherwise a new one. */
export function acceptRequestId(offered: string | undefined): string {
  return offered !== undefined && acceptable.test(offered) ? offered : newRequestId();
}
