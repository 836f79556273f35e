import { createLoader, type RowOf, type SqlReader, type Statement } from '#libs/db';
import { toMailbox } from '#libs/text';
import {
  notificationColumns,
  profileTable,
  type NotificationSettings,
  type ProfileColumns,
  type ProfileValues,
} from '../domain/profile.columns.ts';
import type { ProfileReader, UserSummary } from '../domain/profile.repository.ts';

const columns = profileTable.select();

const newestFirst = 'order by create_time desc, id desc limit $1';
const amongIds = 'where id = any ($1::uuid[])';
const afterPosition = '(create_time, id) < ($2, $3)';

/**
 * Whether a text begins with a parameter, in the order of the prefix indexes (bytes). A range instead of
 * LIKE: it has no wildcards, and it uses the index also when the plan was made without knowing the parameter. Nothing
 * that begins with the text comes after the text followed by as many of the last character as an e-mail can have.
 */
const beginsWith = (column: string, parameter: string): string =>
  `(${column} ~>=~ ${parameter} and ${column} ~<=~ (${parameter} || repeat(U&'\\+10FFFF', 254)))`;

const found = (name: string, mailbox: string): string =>
  `(${beginsWith('coalesce(mailbox, lower(email))', mailbox)} or ${beginsWith('lower(display_name)', `lower(${name})`)})`;

export const profileStatements = {
  find: { name: 'profile-find', text: `select ${columns} from profiles ${amongIds}` },
  listFirst: { name: 'profile-list-first', text: `select ${columns} from profiles ${newestFirst}` },
  listAfter: {
    name: 'profile-list-after',
    text: `select ${columns} from profiles where ${afterPosition} ${newestFirst}`,
  },
  searchFirst: {
    name: 'profile-search-first',
    text: `select ${columns} from profiles where ${found('$2', '$3')} ${newestFirst}`,
  },
  searchAfter: {
    name: 'profile-search-after',
    text: `select ${columns} from profiles where ${afterPosition} and ${found('$4', '$5')} ${newestFirst}`,
  },
  summaries: {
    name: 'profile-summaries',
    text: `select ${profileTable.select('', ['id', 'displayName', 'enabled'])} from profiles ${amongIds}`,
  },
  notificationSettings: {
    name: 'profile-notification-settings',
    text: `select ${profileTable.select('', notificationColumns)} from profiles ${amongIds}`,
  },
};

/** Prepared statements without the ORM: these are the most frequent calls of the whole cluster. */
export function createProfileReader(reader: SqlReader): ProfileReader {
  const { find, listFirst, listAfter, searchFirst, searchAfter, summaries, notificationSettings } = profileStatements;
  const query = async (statement: Statement, parameters: unknown[]): Promise<ProfileValues[]> =>
    (await reader.query<RowOf<ProfileColumns>>(statement, parameters)).map(profileTable.toValues);
  const profiles = createLoader({
    name: 'find_profiles',
    read: (ids) => query(find, [ids]),
    keyOf: ({ id }: ProfileValues) => id,
  });
  return {
    find: profiles.load,
    list: (after, limit) =>
      after === undefined ? query(listFirst, [limit]) : query(listAfter, [limit, after.createTime, after.id]),
    search: (prefix, after, limit) => {
      const texts = [prefix, toMailbox(prefix)];
      return after === undefined
        ? query(searchFirst, [limit, ...texts])
        : query(searchAfter, [limit, after.createTime, after.id, ...texts]);
    },
    listSummaries: (ids) => reader.query<UserSummary>(summaries, [ids]),
    listNotificationSettings: (ids) => reader.query<NotificationSettings>(notificationSettings, [ids]),
  };
}
