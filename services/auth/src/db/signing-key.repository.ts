import { runStatement, type EntityManager } from '#libs/db';
import { SigningKey } from '../domain/signing-key.entity.ts';
import type { SigningKeyRepository } from '../domain/signing-key.repository.ts';

// A unique index lets one key be active. The insert waits for a replica that is just storing its own, then does nothing.
const insertUnlessOneIsActive = `
  insert into signing_keys (kid, state, public_jwk, sealed_private_key, create_time, activate_time)
  values ($1, $2, $3, $4, $5, $6)
  on conflict do nothing`;

export function createSigningKeyRepository(em: EntityManager): SigningKeyRepository {
  return {
    listUsable: () => em.find(SigningKey, { state: { $ne: 'retired' } }, { orderBy: { createTime: 'asc', kid: 'asc' } }),
    addUnlessOneIsActive: async ({ kid, state, publicJwk, sealedPrivateKey, createTime, activateTime }) => {
      const values = [kid, state, JSON.stringify(publicJwk), sealedPrivateKey, createTime, activateTime];
      await runStatement(em, insertUnlessOneIsActive, values);
    },
  };
}
