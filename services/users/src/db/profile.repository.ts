import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { newProfile, profileTable } from '../domain/profile.columns.ts';
import { Profile } from '../domain/profile.entity.ts';
import type { ProfileRepository } from '../domain/profile.repository.ts';

// Copies may come twice, and out of order. Only a newer one changes a profile, and only what belongs to the account.
const onConflict = `
  on conflict (id) do update set
    email = excluded.email,
    mailbox = excluded.mailbox,
    role = excluded.role,
    enabled = excluded.enabled,
    email_verified = excluded.email_verified,
    service_account = excluded.service_account,
    account_version = excluded.account_version,
    version = profiles.version + 1,
    update_time = excluded.update_time
  where excluded.account_version > profiles.account_version`;

// Only these can have a mailbox that is spelled in another way.
const foreignEmails = `
  select id, email, mailbox from profiles where id > $1 and (email ~ '[^ -~]' or email ~ '@(.*\\.)?xn--') order by id limit $2`;

const setMailbox = 'update profiles set mailbox = $3 where id = $1 and email = $2';

export function createProfileRepository(em: EntityManager): ProfileRepository {
  return {
    lock: async (id) => (await em.findOne(Profile, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    upsertAccountCopy: async (copy, now) => {
      const parameters: unknown[] = [];
      const insert = profileTable.insert(
        [newProfile(copy, now)],
        (value, type) => `$${parameters.push(value)}::${type}`,
      );
      await runStatement(em, insert + onConflict, parameters);
    },
    listForeignEmails: (afterId, limit) => runStatement(em, foreignEmails, [afterId, limit]),
    setMailbox: async ({ id, email, mailbox }) => void (await runStatement(em, setMailbox, [id, email, mailbox])),
  };
}
