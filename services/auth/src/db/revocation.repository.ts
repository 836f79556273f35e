import { afterCommit, type EntityManager } from '#libs/db';
import type { RevocationRepository } from '../domain/revocation.repository.ts';
import { removeExpired } from './remove-expired.ts';

/** `onCommit` runs after a commit that added some. */
export function createRevocationRepository(em: EntityManager, onCommit: () => void): RevocationRepository {
  return {
    add: (...revocations) => {
      if (revocations.length === 0) return;
      em.persist(revocations);
      afterCommit(em, onCommit);
    },
    removeExpired: (before, limit) => removeExpired(em, 'revocations', { before, limit }),
  };
}
