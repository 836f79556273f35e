import type { RefreshSessionResponse } from '#contract/auth/v1/auth';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { Account } from '../domain/account.entity.ts';
import { refreshTokenInvalid, tokenReused } from '../domain/auth.errors.ts';
import type { RefreshToken, TokenUse } from '../domain/refresh-token.entity.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import type { Session } from '../domain/session.entity.ts';
import type { SessionRepository } from '../domain/session.repository.ts';
import { ofSession } from './audited.ts';
import { endSessions } from './end-sessions.ts';

type Exchange =
  | { outcome: 'exchanged'; session: Session; account: Account; successor: string; issueTime: Date; wasLost: boolean }
  | { outcome: 'reused'; session: Session }
  | { outcome: 'invalid' };

/**
 * Exchanges a refresh token for its successor and a new access token. The rotation is one transaction. A client that
 * did not get the answer repeats the exchange: within the grace window it gets the same successor, later another one in
 * place of the first, which nobody has used.
 */
export async function refreshSession(
  deps: AuthDeps,
  refreshToken: string,
  client: ClientInfo,
): Promise<RefreshSessionResponse> {
  const { uow, accessTokens, logger } = deps;
  // Reuse is an outcome, not an exception, because the end of the session has to be committed.
  const exchange = await uow.run((repositories) => exchangeToken(repositories, deps, { refreshToken, client }));
  if (exchange.outcome === 'invalid') throw refreshTokenInvalid();
  if (exchange.outcome === 'reused') {
    const { id: sessionId, accountId } = exchange.session;
    logger.warn({ sessionId, accountId, ...client }, 'replaced refresh token was used again; session ended');
    throw tokenReused();
  }
  const { session, account, successor, issueTime, wasLost } = exchange;
  if (wasLost) {
    const fields = { sessionId: session.id, accountId: account.id, ...client };
    logger.warn(fields, 'refresh token was exchanged again; its unused successor was discarded');
  }
  const access = await accessTokens.issue({
    accountId: account.id,
    role: account.role,
    sessionId: session.id,
    issueTime,
  });
  const tokens = {
    accessToken: access.token,
    accessTokenExpireTime: access.expireTime,
    refreshToken: successor,
    refreshTokenExpireTime: session.expireTime,
  };
  return { tokens };
}

interface Presented {
  refreshToken: string;
  client: ClientInfo;
}

async function exchangeToken(
  repositories: Repositories,
  deps: AuthDeps,
  { refreshToken, client }: Presented,
): Promise<Exchange> {
  const { refreshTokens, clock, settings } = deps;
  const { sessions } = repositories;
  const found = await sessions.lockByToken(refreshTokens.hashOf(refreshToken));
  if (found === undefined) return { outcome: 'invalid' };
  const { account, session, token } = found;
  const now = clock.now();
  // The rightful client learns from any of its tokens why its session has ended.
  if (session.revokeReason === 'token_reused') return { outcome: 'reused', session };
  if (!session.isAlive(now) || !account.enabled) return { outcome: 'invalid' };

  const { use, successor } = await succeed(sessions, deps, { refreshToken, token, now });
  if (use === 'reuse') {
    endSessions(repositories, [session], { reason: 'token_reused', now });
    await repositories.audit.add({ action: 'token_reused', refusal: 'TOKEN_REUSED', ...ofSession(session) });
    return { outcome: 'reused', session };
  }
  if (successor === undefined) return { outcome: 'invalid' };
  if (use === 'lost_answer') await repositories.audit.add({ action: 'token_reissued', ...ofSession(session) });
  if (use !== 'repetition') session.touch(client, now, settings.sessionLifetimeMs);
  return {
    outcome: 'exchanged',
    session,
    account,
    successor,
    issueTime: account.tokenIssueTime(now),
    wasLost: use === 'lost_answer',
  };
}

interface Succession {
  use: TokenUse;
  /** Absent after a reuse, and in a repetition when the key that made it is no longer configured. */
  successor?: string;
}

/** Makes the successor of a token of a locked session, or finds it again. */
async function succeed(
  sessions: SessionRepository,
  { refreshTokens, settings }: Pick<AuthDeps, 'refreshTokens' | 'settings'>,
  { refreshToken, token, now }: { refreshToken: string; token: RefreshToken; now: Date },
): Promise<Succession> {
  const latest =
    token.replacedBy === undefined ? undefined : await sessions.findToken(token.sessionId, token.replacedBy);
  const use = token.judgeUse(latest, now, settings.refreshGraceMs);
  if (use === 'reuse') return { use };
  if (use === 'repetition' && latest !== undefined) {
    const successors = refreshTokens.successorsOf(refreshToken, latest.generation - token.generation);
    const successor = successors.find((candidate) => refreshTokens.hashOf(candidate) === latest.tokenHash);
    return successor === undefined ? { use } : { use, successor };
  }
  // The new token comes after all others of the session: an unused one is always its last.
  const generation = (latest ?? token).generation + 1;
  const [successor] = refreshTokens.successorsOf(refreshToken, generation - token.generation);
  latest?.discard(now);
  sessions.addToken(token.replaceBy({ tokenHash: refreshTokens.hashOf(successor), generation }, now));
  return { use, successor };
}
