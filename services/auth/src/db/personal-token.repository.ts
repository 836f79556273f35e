import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { PersonalToken } from '../domain/personal-token.entity.ts';
import type { PersonalTokenRepository } from '../domain/personal-token.repository.ts';
import { removeExpired } from './remove-expired.ts';

// Another replica that holds the row is recording the same use.
const recordUses = {
  name: 'personal-token-record-uses',
  text: `
    update personal_tokens set last_use_time = $2
    where id in (select id from personal_tokens where id = any ($1) for update skip locked)`,
};

export function createPersonalTokenRepository(em: EntityManager): PersonalTokenRepository {
  return {
    add: (token) => void em.persist(token),
    countValid: (accountId, now) => em.count(PersonalToken, { accountId, expireTime: { $gt: now } }),
    lock: async (id) =>
      (await em.findOne(PersonalToken, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    recordUses: async (ids, now) => void (await runStatement(em, recordUses, [ids, now])),
    removeExpired: (before, limit) => removeExpired(em, 'personal_tokens', { before, limit }),
  };
}
