import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { toMailbox } from '#libs/text';
import { Account } from '../domain/account.entity.ts';
import type { AccountRepository } from '../domain/account.repository.ts';

/** Only these can have a mailbox that is spelled in another way. */
const foreignEmails = { $or: [{ email: /[^ -~]/ }, { email: /@(.*\.)?xn--/ }] };

// As accounts_mailbox_key compares.
const findEmail = {
  name: 'account-has-email',
  text: 'select 1 from accounts where coalesce(mailbox, email) = $1 or email = $2',
};

export function createAccountRepository(em: EntityManager): AccountRepository {
  return {
    add: (account) => void em.persist(account),
    hasEmail: async (email) => (await runStatement(em, findEmail, [toMailbox(email), email])).length > 0,
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
