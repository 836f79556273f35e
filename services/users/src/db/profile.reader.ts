import type { SqlReader } from '#libs/db';
import type { ProfileReader, ProfileView, UserSummary } from '../domain/profile.repository.ts';

const columns = `id, email, role, enabled, display_name as "displayName", time_zone as "timeZone", locale, version,
  create_time as "createTime", update_time as "updateTime"`;

const statements = {
  find: { name: 'profile-find', text: `select ${columns} from profiles where id = $1` },
  listFirst: { name: 'profile-list-first', text: `select ${columns} from profiles order by create_time desc, id desc limit $1` },
  listAfter: {
    name: 'profile-list-after',
    text: `select ${columns} from profiles where (create_time, id) < ($2, $3) order by create_time desc, id desc limit $1`,
  },
  summaries: {
    name: 'profile-summaries',
    text: `select id, display_name as "displayName", enabled from profiles where id = any ($1::uuid[])`,
  },
};

/** Columns straight from prepared statements: these are the most frequent calls of the whole cluster. */
export function createProfileReader(reader: SqlReader): ProfileReader {
  return {
    find: async (id) => (await reader.query<ProfileView>(statements.find, [id]))[0],
    list: (after, limit) =>
      after === undefined
        ? reader.query<ProfileView>(statements.listFirst, [limit])
        : reader.query<ProfileView>(statements.listAfter, [limit, after.createTime, after.id]),
    listSummaries: (ids) => reader.query<UserSummary>(statements.summaries, [ids]),
  };
}
