import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { Account } from '../domain/account.entity.ts';
import { RefreshToken } from '../domain/refresh-token.entity.ts';
import { Session } from '../domain/session.entity.ts';
import type { SessionRepository } from '../domain/session.repository.ts';
import { removeExpired } from './remove-expired.ts';

const idsOfToken = `
  select s.id as "sessionId", s.account_id as "accountId"
  from refresh_tokens t join sessions s on s.id = t.session_id
  where t.token_hash = $1`;

const alive = (accountId: string, now: Date) => ({ accountId, revokeTime: null, expireTime: { $gt: now } });

export function createSessionRepository(em: EntityManager): SessionRepository {
  return {
    add: (session, token) => void em.persist([session, token]),
    addToken: (token) => void em.persist(token),
    lockByToken: async (tokenHash) => {
      const [key] = await runStatement<{ sessionId: string; accountId: string }>(em, idsOfToken, [tokenHash]);
      if (key === undefined) return undefined;
      const account = await em.findOne(Account, { id: key.accountId }, { lockMode: LockMode.PESSIMISTIC_READ });
      const session = await em.findOne(Session, { id: key.sessionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const token = await em.findOne(RefreshToken, { tokenHash });
      return account === null || session === null || token === null ? undefined : { account, session, token };
    },
    lockOwned: async (id, accountId) =>
      (await em.findOne(Session, { id, accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    lockAlive: (accountId, now) =>
      em.find(Session, alive(accountId, now), { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE }),
    findToken: async (sessionId, generation) =>
      (await em.findOne(RefreshToken, { sessionId, generation })) ?? undefined,
    // Their tokens go with them by the foreign key.
    removeExpired: (before, limit) => removeExpired(em, 'sessions', { before, limit }),
  };
}
