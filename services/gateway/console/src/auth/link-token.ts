/**
 * The token of a link from a mail. It stands behind the #, which browsers send to no server, and leaves the address, so
 * that it stays in no history.
 */
export function takeLinkToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token !== '') history.replaceState(null, '', location.pathname);
  return token;
}
