import { LockMode } from '@mikro-orm/core';
import { removeRequestsOf, removeResponsesWith, runStatement, type EntityManager } from '#libs/db';
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
    purge_time = excluded.purge_time,
    account_version = excluded.account_version,
    version = profiles.version + 1,
    update_time = excluded.update_time
  where excluded.account_version > profiles.account_version`;

// Only these can have a mailbox that is spelled in another way.
const foreignEmails = `
  select id, email, mailbox from profiles where id > $1 and (email ~ '[^ -~]' or email ~ '@(.*\\.)?xn--') order by id limit $2`;

const setMailbox = 'update profiles set mailbox = $3 where id = $1 and email = $2';

// A late copy and the removal of one user take turns, so that the copy sees the removal.
const takeTurn = `select pg_advisory_xact_lock(hashtextextended('profile of ' || $1::text, 0))`;
const findRemoved = 'select 1 from removed_users where id = $1';
const rememberRemoved = 'insert into removed_users (id, remove_time) values ($1, now()) on conflict (id) do nothing';
const removeProfile = 'delete from profiles where id = $1';

export function createProfileRepository(em: EntityManager): ProfileRepository {
  return {
    lock: async (id) => (await em.findOne(Profile, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    upsertAccountCopy: async (copy, now) => {
      await runStatement(em, takeTurn, [copy.id]);
      if ((await runStatement(em, findRemoved, [copy.id])).length > 0) return;
      const parameters: unknown[] = [];
      const insert = profileTable.insert(
        [newProfile(copy, now)],
        (value, type) => `$${parameters.push(value)}::${type}`,
      );
      await runStatement(em, insert + onConflict, parameters);
    },
    remove: async (id) => {
      for (const statement of [takeTurn, rememberRemoved, removeProfile]) await runStatement(em, statement, [id]);
      await removeRequestsOf(em, id);
      // Administrators' changes of the profile are recorded under their own ids.
      await removeResponsesWith(em, [id]);
    },
    listForeignEmails: (afterId, limit) => runStatement(em, foreignEmails, [afterId, limit]),
    setMailbox: async ({ id, email, mailbox }) => void (await runStatement(em, setMailbox, [id, email, mailbox])),
  };
}
