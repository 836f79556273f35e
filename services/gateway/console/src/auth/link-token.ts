import { useEffect, useState } from 'react';

/**
 * The token of a link from a mail. It stands behind the #, which browsers send to no server, and leaves the address, so
 * that it stays in no history.
 */
function takeLinkToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token !== '') history.replaceState(null, '', location.pathname);
  return token;
}

/** The token of the address, or else `held`. Mails may carry it as a text to copy, so it can be set as well. */
export function useLinkToken(held = ''): [token: string, setToken: (token: string) => void] {
  const [token, setToken] = useState(() => takeLinkToken() || held);
  useEffect(() => {
    // A link to the page that a tab shows already loads nothing again.
    const onHashChange = (): void => {
      const next = takeLinkToken();
      if (next !== '') setToken(next);
    };
    addEventListener('hashchange', onHashChange);
    return () => removeEventListener('hashchange', onHashChange);
  }, []);
  return [token, setToken];
}
