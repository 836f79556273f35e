import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '#libs/db';
import { Account } from '../domain/account.entity.ts';
import type { AccountRepository } from '../domain/account.repository.ts';

export function createAccountRepository(em: EntityManager): AccountRepository {
  return {
    add: (account) => void em.persist(account),
    find: async (id) => (await em.findOne(Account, { id })) ?? undefined,
    findByEmail: async (email) => (await em.findOne(Account, { email })) ?? undefined,
    findUnchanging: async (id) => (await em.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_READ })) ?? undefined,
    lock: async (id) => (await em.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    lockWithAdministrators: (id) =>
      em.find(Account, { $or: [{ id }, { role: 'admin', enabled: true }] }, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE }),
    isEmailTaken: async (email) => (await em.count(Account, { email })) > 0,
  };
}
