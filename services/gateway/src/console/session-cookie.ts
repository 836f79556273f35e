import { AppError } from '#libs/errors';
import { textHeader } from '#libs/grpc';
import type { HttpRequest } from '../http/answer.ts';
import { HeadFault } from '../http/call-head.ts';

/** The site of the page, by the browser's word; pages cannot choose it. */
function originOf({ headers }: HttpRequest): URL | null {
  return URL.parse(textHeader(headers.origin) ?? '');
}

const hostOf = ({ headers }: HttpRequest): string =>
  (textHeader(headers.host) ?? textHeader(headers[':authority']) ?? '').toLowerCase();

/**
 * Refuses pages of other sites, and what does not say whose page it is. SameSite alone would let pages of neighbouring
 * subdomains and ports in. Throws HeadFault.
 */
export function assertOwnOrigin(request: HttpRequest): void {
  const fetchSite = textHeader(request.headers['sec-fetch-site']) ?? 'same-origin';
  if (originOf(request)?.host === hostOf(request) && fetchSite === 'same-origin') return;
  const error = new AppError('permission_denied', 'ORIGIN_NOT_ALLOWED', 'only pages of this origin may call');
  throw new HeadFault(error, 403);
}

/** TLS may end before the gateway, so the page's own address says whether there is any. */
export const isSecure = (request: HttpRequest): boolean => originOf(request)?.protocol === 'https:';

/** Browsers let nobody set a cookie with this beginning over plain HTTP. */
const nameOf = (secure: boolean): string => (secure ? '__Secure-taskflow_session' : 'taskflow_session');

/** As a secret of the contract (TEXT_FORMAT_SECRET): what cannot be one is no token. */
const secret = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,512}$/;

/**
 * The refresh token of the browser. A neighbouring subdomain can add a cookie of the same name, and nobody could tell
 * which is ours, so two are refused. Throws HeadFault.
 */
export function readCookie(request: HttpRequest): string | undefined {
  const start = `${nameOf(isSecure(request))}=`;
  const pairs = (textHeader(request.headers.cookie) ?? '').split(/; */);
  const values = pairs.flatMap((pair) => (pair.startsWith(start) ? pair.slice(start.length) : []));
  if (values.length > 1) {
    const details = { metadata: { header: 'cookie' } };
    throw new HeadFault(
      new AppError('invalid_argument', 'MALFORMED_REQUEST', 'there are two sessions in the cookies', { details }),
    );
  }
  return values.find((value) => secret.test(value));
}

/** Without Domain, so that no other host gets it. */
const attributes = (secure: boolean): string => `Path=/session; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;

export function writeCookie(refreshToken: string, { ttlMs, secure }: { ttlMs: number; secure: boolean }): string {
  const seconds = Math.max(0, Math.floor(ttlMs / 1000));
  return `${nameOf(secure)}=${refreshToken}; Max-Age=${seconds}; ${attributes(secure)}`;
}

export const expiredCookie = (secure: boolean): string => `${nameOf(secure)}=; Max-Age=0; ${attributes(secure)}`;
