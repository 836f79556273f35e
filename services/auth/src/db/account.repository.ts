import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '#libs/db';
import { Account } from '../domain/account.entity.ts';
import type { AccountRepository } from '../domain/account.repository.ts';

/** Only these can have a mailbox that is spelled in another way. */
const foreignEmails = { $or: [{ email: /[^ -~]/ }, { email: /@(.*\.)?xn--/ }] };

export function createAccountRepository(em: EntityManager): AccountRepository {
  return {
    add: (account) => void em.persist(account),
    listForeignEmails: (afterId, limit) =>
      em.find(Account, { id: { $gt: afterId }, ...foreignEmails }, { orderBy: { id: 'asc' }, limit }),
    findUnchanging: async (id) =>
      (await em.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_READ })) ?? undefined,
    lock: async (id) => (await em.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    lockWithAdministrators: (id) =>
      em.find(
        Account,
        { $or: [{ id }, { role: 'admin', enabled: true }] },
        { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
      ),
  };
}
