import type { AuthDeps, RevocationNews } from '../deps.ts';

/** What has been revoked, for a service that checks tokens by itself. */
export function watchRevocations({ revocationWatch }: Pick<AuthDeps, 'revocationWatch'>, signal: AbortSignal): AsyncIterable<RevocationNews> {
  return revocationWatch.watch(signal);
}
