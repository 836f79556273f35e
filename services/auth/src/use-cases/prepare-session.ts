import type { TokenPair } from '#contract/auth/v1/auth';
import type { AuthDeps, Repositories } from '../deps.ts';
import type { AccountRole } from '../domain/account.columns.ts';
import { RefreshToken } from '../domain/refresh-token.entity.ts';
import type { ClientInfo } from '../domain/session.columns.ts';
import { Session } from '../domain/session.entity.ts';
import { ofSession } from './audited.ts';

export interface PreparedSession {
  tokens: TokenPair;
  /** To be called in the transaction that makes the session real. */
  addTo(repositories: Pick<Repositories, 'sessions' | 'audit'>): Promise<void>;
}

type Needs = Pick<AuthDeps, 'accessTokens' | 'refreshTokens' | 'clock' | 'newId' | 'settings'>;

/**
 * Makes the tokens of a new session before its transaction, so that nothing is left that could fail after the commit.
 */
export async function prepareSession(
  { accessTokens, refreshTokens, clock, newId, settings }: Needs,
  account: { id: string; role: AccountRole; tokenIssueTime?: (now: Date) => Date },
  client: ClientInfo,
): Promise<PreparedSession> {
  const sessionId = newId();
  const refreshToken = refreshTokens.create();
  const now = clock.now();
  const issueTime = account.tokenIssueTime?.(now) ?? now;
  const access = await accessTokens.issue({ accountId: account.id, role: account.role, sessionId, issueTime });
  // New entities at every call: a transaction that is repeated must not meet those of its failed attempt.
  const openSession = () =>
    Session.open({ id: sessionId, accountId: account.id, ...client }, now, settings.sessionLifetimeMs);
  return {
    tokens: {
      accessToken: access.token,
      accessTokenExpireTime: access.expireTime,
      refreshToken,
      refreshTokenExpireTime: openSession().expireTime,
    },
    addTo: async ({ sessions, audit }) => {
      const session = openSession();
      sessions.add(session, RefreshToken.first(refreshTokens.hashOf(refreshToken), sessionId, now));
      await audit.add({ action: 'signed_in', ...ofSession(session) });
    },
  };
}
