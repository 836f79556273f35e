import type { SqlReader } from '#libs/db';
import type { NotificationSettings, ProfilePosition, ProfileReader, ProfileView, UserSummary } from '../domain/profile.repository.ts';

const columns = `id, email, role, enabled, display_name as "displayName", time_zone as "timeZone", locale, overdue_hour as "overdueHour",
  channels, version, create_time as "createTime", update_time as "updateTime"`;

const newestFirst = 'order by create_time desc, id desc limit $1';
const afterPosition = '(create_time, id) < ($2, $3)';

/**
 * Whether a text begins with a parameter, letter case aside, in the order of the prefix indexes (bytes). A range instead of
 * LIKE: it has no wildcards, and it uses the index also when the plan was made without knowing the parameter. Nothing that
 * begins with the text comes after the text followed by as many of the last character as an e-mail can have.
 */
const beginsWith = (column: string, parameter: string): string =>
  `(lower(${column}) ~>=~ lower(${parameter}) and lower(${column}) ~<=~ (lower(${parameter}) || repeat(U&'\\+10FFFF', 254)))`;

const found = (parameter: string): string => `(${beginsWith('email', parameter)} or ${beginsWith('display_name', parameter)})`;

export const profileStatements = {
  find: { name: 'profile-find', text: `select ${columns} from profiles where id = $1` },
  listFirst: { name: 'profile-list-first', text: `select ${columns} from profiles ${newestFirst}` },
  listAfter: { name: 'profile-list-after', text: `select ${columns} from profiles where ${afterPosition} ${newestFirst}` },
  searchFirst: { name: 'profile-search-first', text: `select ${columns} from profiles where ${found('$2')} ${newestFirst}` },
  searchAfter: { name: 'profile-search-after', text: `select ${columns} from profiles where ${afterPosition} and ${found('$4')} ${newestFirst}` },
  summaries: {
    name: 'profile-summaries',
    text: `select id, display_name as "displayName", enabled from profiles where id = any ($1::uuid[])`,
  },
  notificationSettings: {
    name: 'profile-notification-settings',
    text: `select id, time_zone as "timeZone", overdue_hour as "overdueHour", channels from profiles where id = any ($1::uuid[])`,
  },
};

/** Columns straight from prepared statements: these are the most frequent calls of the whole cluster. */
export function createProfileReader(reader: SqlReader): ProfileReader {
  const { find, listFirst, listAfter, searchFirst, searchAfter, summaries, notificationSettings } = profileStatements;
  const list = (after: ProfilePosition | undefined, limit: number): Promise<ProfileView[]> =>
    after === undefined ? reader.query(listFirst, [limit]) : reader.query(listAfter, [limit, after.createTime, after.id]);
  return {
    find: async (id) => (await reader.query<ProfileView>(find, [id]))[0],
    list,
    search: (prefix, after, limit) =>
      after === undefined ? reader.query(searchFirst, [limit, prefix]) : reader.query(searchAfter, [limit, after.createTime, after.id, prefix]),
    listSummaries: (ids) => reader.query<UserSummary>(summaries, [ids]),
    listNotificationSettings: (ids) => reader.query<NotificationSettings>(notificationSettings, [ids]),
  };
}
