import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import type { RevocationRepository } from '../domain/revocation.repository.ts';

/** `onCommit` is told that there are new ones to be spread. */
export function createRevocationRepository(em: EntityManager, onCommit: () => void): RevocationRepository {
  return {
    add: (...revocations) => {
      if (revocations.length === 0) return;
      em.persist(revocations);
      afterCommit(em, onCommit);
    },
    removeExpired: async (before, limit) => {
      const removed = await runStatement(
        em,
        `delete from revocations where id in (select id from revocations where expire_time < $1 order by expire_time limit $2 for update skip locked) returning id`,
        [before, limit],
      );
      return removed.length;
    },
  };
}
