import { createLoader, type RowOf, type SqlReader, type Statement } from '#libs/db';
import { toMailbox } from '#libs/text';
import {
  notificationColumns,
  profileTable,
  roles as allRoles,
  type NotificationSettings,
  type ProfileColumns,
  type ProfileValues,
} from '../domain/profile.columns.ts';
import {
  summaryColumns,
  type FoundProfile,
  type ProfileFilter,
  type ProfileReader,
  type UserSummary,
} from '../domain/profile.repository.ts';

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

const amongKinds = (roles: string, enabled: string): string =>
  `role = any (${roles}::text[]) and enabled = any (${enabled}::boolean[])`;

/** Merged from the index ranges of the wanted kinds, so that a page of a rare kind does not pass over the others. */
const listOfKinds = (roles: string, enabled: string, after = ''): string => `
  select ${columns}
  from unnest(${roles}::text[]) wanted_role
    cross join unnest(${enabled}::boolean[]) wanted_state
    cross join lateral (
      select * from profiles where role = wanted_role and enabled = wanted_state ${after} ${newestFirst}) one_kind
  ${newestFirst}`;

/** One index range for each e-mail, whether or not somebody has it. */
const findByEmails = `
  select asked.email, found.*
  from unnest($1::text[], $2::text[]) with ordinality asked (email, mailbox, place)
    cross join lateral (
      select ${profileTable.select('', [...summaryColumns, 'discoverable'])} from profiles
      where coalesce(mailbox, lower(email)) = asked.mailbox and enabled
      order by email = lower(asked.email) desc, create_time, id limit 1) found
  order by asked.place`;

export const profileStatements = {
  find: { name: 'profile-find', text: `select ${columns} from profiles ${amongIds}` },
  listFirst: { name: 'profile-list-first', text: `select ${columns} from profiles ${newestFirst}` },
  listAfter: {
    name: 'profile-list-after',
    text: `select ${columns} from profiles where ${afterPosition} ${newestFirst}`,
  },
  searchFirst: {
    name: 'profile-search-first',
    text: `select ${columns} from profiles where ${found('$2', '$3')} and ${amongKinds('$4', '$5')} ${newestFirst}`,
  },
  searchAfter: {
    name: 'profile-search-after',
    text: `
      select ${columns} from profiles
      where ${afterPosition} and ${found('$4', '$5')} and ${amongKinds('$6', '$7')} ${newestFirst}`,
  },
  kindsFirst: { name: 'profile-kinds-first', text: listOfKinds('$2', '$3') },
  kindsAfter: { name: 'profile-kinds-after', text: listOfKinds('$4', '$5', `and ${afterPosition}`) },
  findByEmails: { name: 'profile-find-by-emails', text: findByEmails },
  summaries: {
    name: 'profile-summaries',
    text: `select ${profileTable.select('', summaryColumns)} from profiles ${amongIds}`,
  },
  notificationSettings: {
    name: 'profile-notification-settings',
    text: `select ${profileTable.select('', notificationColumns)} from profiles ${amongIds}`,
  },
};

/** Prepared statements without the ORM: these are the most frequent calls of the whole cluster. */
export function createProfileReader(reader: SqlReader): ProfileReader {
  const { find, summaries, notificationSettings } = profileStatements;
  const { listFirst, listAfter, kindsFirst, kindsAfter, searchFirst, searchAfter } = profileStatements;
  const query = async (statement: Statement, parameters: unknown[]): Promise<ProfileValues[]> =>
    (await reader.query<RowOf<ProfileColumns>>(statement, parameters)).map(profileTable.toValues);
  const profiles = createLoader({
    name: 'find_profiles',
    read: (ids) => query(find, [ids]),
    keyOf: ({ id }: ProfileValues) => id,
  });
  return {
    find: profiles.load,
    findByEmails: async (emails) =>
      (await reader.query<FoundRow>(profileStatements.findByEmails, [emails, emails.map(toMailbox)])).map(toFound),
    list: (filter, after, limit) => {
      const [first, next] = isWhole(filter) ? [listFirst, listAfter] : [kindsFirst, kindsAfter];
      const kinds = isWhole(filter) ? [] : [filter.roles, filter.enabled];
      return after === undefined
        ? query(first, [limit, ...kinds])
        : query(next, [limit, after.createTime, after.id, ...kinds]);
    },
    search: (prefix, { roles, enabled }, after, limit) => {
      const conditions = [prefix, toMailbox(prefix), roles, enabled];
      return after === undefined
        ? query(searchFirst, [limit, ...conditions])
        : query(searchAfter, [limit, after.createTime, after.id, ...conditions]);
    },
    listSummaries: (ids) => reader.query<UserSummary>(summaries, [ids]),
    listNotificationSettings: (ids) => reader.query<NotificationSettings>(notificationSettings, [ids]),
  };
}

const isWhole = ({ roles, enabled }: ProfileFilter): boolean =>
  roles.length === allRoles.length && enabled.length === 2;

type FoundRow = UserSummary & Pick<FoundProfile, 'email' | 'discoverable'>;

function toFound({ email, discoverable, ...user }: FoundRow): FoundProfile {
  return { email, user, discoverable };
}
