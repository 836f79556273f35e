import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { RefreshToken } from '../domain/refresh-token.entity.ts';
import { Session } from '../domain/session.entity.ts';
import type { SessionRepository } from '../domain/session.repository.ts';

export function createSessionRepository(em: EntityManager): SessionRepository {
  return {
    add: (session, token) => void em.persist([session, token]),
    addToken: (token) => void em.persist(token),
    lockByToken: async (tokenHash) => {
      const key = await em.findOne(RefreshToken, { tokenHash }, { fields: ['sessionId'], disableIdentityMap: true });
      if (key === null) return undefined;
      const session = await em.findOne(Session, { id: key.sessionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const token = await em.findOne(RefreshToken, { tokenHash });
      return session === null || token === null ? undefined : { session, token };
    },
    hasToken: async (tokenHash) => (await em.count(RefreshToken, { tokenHash })) > 0,
    removeExpired: async (before, limit) => {
      // Their tokens go with them by the foreign key. A session that is just being used is left alone.
      const removed = await runStatement(
        em,
        `delete from sessions where id in (select id from sessions where expire_time < $1 order by expire_time limit $2 for update skip locked) returning id`,
        [before, limit],
      );
      return removed.length;
    },
  };
}
