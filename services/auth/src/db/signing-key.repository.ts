import type { EntityManager } from '@mikro-orm/postgresql';
import { SigningKey } from '../domain/signing-key.entity.ts';
import type { SigningKeyRepository } from '../domain/signing-key.repository.ts';

export function createSigningKeyRepository(em: EntityManager): SigningKeyRepository {
  return {
    listUsable: () => em.find(SigningKey, { state: { $ne: 'retired' } }, { orderBy: { createTime: 'asc', kid: 'asc' } }),
    // Waits for a replica that is just storing its key, and then does nothing: at most one key is active by a unique index.
    addUnlessOneIsActive: async (key) => {
      await em.createQueryBuilder(SigningKey).insert(key).onConflict().ignore().execute();
    },
  };
}
