import type { SqlReader } from '#libs/db';
import type { Removal, RemovalReport } from '../domain/account-deletion.repository.ts';
import type { RemovalReader } from '../domain/removal.ports.ts';

const find = {
  name: 'removal-find',
  text: 'select account_id as "accountId", successor_id as "successorId", step from account_deletions where account_id = $1',
};

const findLag = {
  name: 'removal-lag',
  text: `
    select extract(epoch from $1::timestamptz - least(
      (select min(begin_time) from account_deletions where finish_time is null),
      (select min(purge_time) from accounts where purge_time <= $1)))::float8 * 1000 as "lagMs"`,
};

const listWaiting = {
  name: 'removal-waiting',
  text: `
    select a.id as "accountId", a.successor_id as "successorId", count(*) over ()::int as "waitingCount" from accounts a
    where a.purge_time <= $1 and a.successor_id is not null
      and not exists (select from accounts s where s.id = a.successor_id and s.enabled)
      and not exists (select from account_deletions d where d.account_id = a.id)
    order by a.purge_time limit 100`,
};

type Waiting = RemovalReport['waiting'][number];

export function createRemovalReader(reader: SqlReader): RemovalReader {
  return {
    find: async (accountId) => (await reader.query<Removal>(find, [accountId]))[0],
    report: async (now) => {
      const [row] = await reader.query<{ lagMs: number | null }>(findLag, [now]);
      const waiting = await reader.query<Waiting & { waitingCount: number }>(listWaiting, [now]);
      return { lagMs: Math.max(0, row?.lagMs ?? 0), waitingCount: waiting[0]?.waitingCount ?? 0, waiting };
    },
  };
}
