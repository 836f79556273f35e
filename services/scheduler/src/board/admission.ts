import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { AuditLog } from '#libs/audit';
import { AppError } from '#libs/errors';
import type { Authenticator } from '#libs/grpc';
import type { Logger, UserActor } from '#libs/runtime';

/** The credentials that decide who sees the board. */
export interface Admission {
  authenticate: Authenticator;
  audit: Pick<AuditLog, 'record'>;
  logger: Logger;
  /** Whether browsers send the token over https only (to this machine itself also without). */
  secureCookie: boolean;
}

/** The cookie with the token of a signed-in user. */
export const tokenCookie = 'taskflow_board';

/** The caller's token: from the header, else from the cookie. */
export function credentialsOf(context: Context): string | undefined {
  const cookie = getCookie(context, tokenCookie);
  return context.req.header('authorization') ?? (cookie === undefined ? undefined : `Bearer ${cookie}`);
}

/** Tells which administrator is calling, by the rules of gRPC. Throws AppError CREDENTIALS_MISSING, ADMIN_REQUIRED and what the authenticator throws. */
export async function admit(authenticate: Authenticator, authorization: string | undefined): Promise<UserActor> {
  const { user } = await authenticate({ authorization });
  if (user === undefined) throw new AppError('unauthenticated', 'CREDENTIALS_MISSING', 'sign in first');
  if (user.role !== 'admin')
    throw new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may see this');
  return user;
}
