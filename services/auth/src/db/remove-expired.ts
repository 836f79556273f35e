import { runStatement, type EntityManager } from '#libs/db';

/**
 * Removes up to `limit` rows that expired before the given time; says how many. A row that is just being used is left
 * alone.
 */
export async function removeExpired(
  em: EntityManager,
  table:
    'sessions' | 'revocations' | 'invitations' | 'project_invitees' | 'account_tokens' | 'mails' | 'personal_tokens',
  { before, limit }: { before: Date; limit: number },
): Promise<number> {
  const removed = await runStatement(
    em,
    `delete from ${table} where id in (select id from ${table} where expire_time < $1 order by expire_time limit $2 for update skip locked) returning id`,
    [before, limit],
  );
  return removed.length;
}
