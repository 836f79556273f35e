import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { refreshTokenInvalid, tokenReused } from '../domain/auth.errors.ts';
import type { ClientInfo, Session } from '../domain/session.entity.ts';
import { endSessions } from './end-sessions.ts';
import type { Tokens } from './prepare-session.ts';

type Exchange =
  | { outcome: 'exchanged'; session: Session; account: Account; successor: string; issueTime: Date }
  | { outcome: 'reused'; session: Session }
  | { outcome: 'invalid' };

/**
 * Exchanges a refresh token for its successor and a new access token. The rotation is one transaction: a client that did
 * not get the answer repeats the exchange and gets the same successor, as long as the grace window lasts.
 */
export async function refreshSession(deps: AuthDeps, refreshToken: string, client: ClientInfo): Promise<Tokens> {
  const { uow, accessTokens, logger } = deps;
  // Reuse is an outcome, not an exception, because the end of the session has to be committed.
  const exchange = await uow.run((repositories) => exchangeToken(repositories, deps, { refreshToken, client }));
  if (exchange.outcome === 'invalid') throw refreshTokenInvalid();
  if (exchange.outcome === 'reused') {
    const { id: sessionId, accountId } = exchange.session;
    logger.warn({ audit: 'token_reused', sessionId, accountId, ...client }, 'replaced refresh token was used again; session ended');
    throw tokenReused();
  }
  const { session, account, successor, issueTime } = exchange;
  const access = await accessTokens.issue({ accountId: account.id, role: account.role, sessionId: session.id, issueTime });
  return {
    accessToken: access.token,
    accessTokenExpireTime: access.expireTime,
    refreshToken: successor,
    refreshTokenExpireTime: session.expireTime,
  };
}

interface Presented {
  refreshToken: string;
  client: ClientInfo;
}

async function exchangeToken(repositories: Repositories, deps: AuthDeps, { refreshToken, client }: Presented): Promise<Exchange> {
  const { refreshTokens, clock, settings } = deps;
  const { sessions } = repositories;
  const found = await sessions.lockByToken(refreshTokens.hashOf(refreshToken));
  if (found === undefined) return { outcome: 'invalid' };
  const { account, session, token } = found;
  const now = clock.now();
  // The rightful client learns from any of its tokens why its session has ended.
  if (session.revokeReason === 'token_reused') return { outcome: 'reused', session };
  if (!session.isAlive(now) || !account.enabled) return { outcome: 'invalid' };

  const successor = refreshTokens.successorOf(refreshToken);
  const successorHash = refreshTokens.hashOf(successor);
  const exchanged: Exchange = { outcome: 'exchanged', session, account, successor, issueTime: account.tokenIssueTime(now) };
  if (!token.isReplaced()) {
    sessions.addToken(token.replaceBy(successorHash, now));
    session.touch(client, now, settings.sessionLifetimeMs);
    return exchanged;
  }
  if (token.isForgiven(now, settings.refreshGraceMs)) {
    // Another successor than the stored one means that the encryption key was changed in between.
    return (await sessions.hasToken(successorHash)) ? exchanged : { outcome: 'invalid' };
  }
  endSessions(repositories, [session], { reason: 'token_reused', now });
  return { outcome: 'reused', session };
}
