import { removeRequestsOf, removeResponsesWith, runStatement, type EntityManager } from '#libs/db';
import type { AccountDeletionRepository } from '../domain/account-deletion.repository.ts';

const hasBegunText = 'select 1 from account_deletions where account_id = $1';

/**
 * One that takes the tasks of somebody else is not removed meanwhile, nor is one that a release before, which knows no
 * deletion, has enabled.
 */
const beginText = `
  with due as (
    select a.id, a.successor_id from accounts a
    where a.purge_time <= $1 and a.delete_time <= $2 and not a.enabled
      and not exists (select from account_deletions d where d.account_id = a.id)
      and not exists (select from account_deletions d where d.successor_id = a.id and d.finish_time is null)
      and (a.successor_id is null or exists (select from accounts s where s.id = a.successor_id and s.enabled))
    order by a.purge_time, a.id limit $3 for update of a skip locked)
  insert into account_deletions (account_id, successor_id, step, begin_time)
  select id, successor_id, 'tasks', now() from due
  on conflict (account_id) do nothing returning account_id as id`;

const advanceText = `
  update account_deletions set step = $3, finish_time = case when $3 = 'finished' then now() end
  where account_id = $1 and step = $2 returning 1`;

const repeatText = `
  update account_deletions set step = 'tasks', finish_time = null returning account_id as id`;

const findEmailText = 'select email, coalesce(mailbox, email) as mailbox from accounts where id = $1 for update';

/* What holds the e-mail without belonging to the account. Everything else goes with the account's row. */
const removals = [
  'delete from invitations where email = $1 or mailbox = $2',
  'delete from project_invitees where email = $1 or mailbox = $2',
  'delete from account_tokens where email = $1 or email = $2',
  'delete from mails where email in ($1, $2) or new_email in ($1, $2)',
  `delete from outbox where kind in ('upsert-profile', 'carry-out-wish') and payload ->> 'email' in ($1, $2)`,
];
const removeProfiles = `delete from outbox where kind = 'upsert-profile' and payload ->> 'accountId' = $1`;
// Those that the person made or accepted. Tasks has removed its part before.
const removeInvitees = 'delete from project_invitees where inviter_id = $1 or accepter_id = $1';
const removeJoins = `delete from outbox where kind = 'join-project' and payload ->> 'accountId' = $1`;
const removeText = 'delete from accounts where id = $1';

export function createAccountDeletionRepository(
  em: EntityManager,
  { goOn }: { goOn: (accountId: string) => void },
): AccountDeletionRepository {
  const idsOf = async (text: string, parameters: unknown[]): Promise<string[]> =>
    (await runStatement<{ id: string }>(em, text, parameters)).map(({ id }) => id);
  const goOnWith = (accountIds: readonly string[]): void => accountIds.forEach(goOn);
  return {
    hasBegun: async (accountId) => (await runStatement(em, hasBegunText, [accountId])).length > 0,
    begin: async ({ purgedBy, deletedBy }, limit) => {
      const begun = await idsOf(beginText, [purgedBy, deletedBy, limit]);
      goOnWith(begun);
      return begun;
    },
    goOn,
    advance: async (accountId, from, to) => (await runStatement(em, advanceText, [accountId, from, to])).length > 0,
    removeAccount: async (accountId) => {
      const [account] = await runStatement<{ email: string; mailbox: string }>(em, findEmailText, [accountId]);
      for (const text of [removeProfiles, removeInvitees, removeJoins]) await runStatement(em, text, [accountId]);
      await removeRequestsOf(em, accountId);
      await removeResponsesWith(em, account === undefined ? [accountId] : [accountId, account.email]);
      if (account === undefined) return;
      for (const text of removals) await runStatement(em, text, [account.email, account.mailbox]);
      await runStatement(em, removeText, [accountId]);
    },
    repeatAll: async () => {
      const repeated = await idsOf(repeatText, []);
      goOnWith(repeated);
      return repeated.length;
    },
  };
}
