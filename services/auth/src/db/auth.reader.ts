import {
  recall,
  type Columns,
  type ColumnTable,
  type RowOf,
  type SqlReader,
  type Statement,
  type Stored,
} from '#libs/db';
import { toMailbox } from '#libs/text';
import type { AuthReader } from '../deps.ts';
import { Account } from '../domain/account.entity.ts';
import { accountTable, type AccountColumns } from '../domain/account.columns.ts';
import { accountTokenTable } from '../domain/account-token.columns.ts';
import { invitationTable, type InvitationColumns } from '../domain/invitation.columns.ts';
import { mailTable } from '../domain/mail.columns.ts';
import { sessionTable, type SessionColumns, type SessionValues } from '../domain/session.columns.ts';
import { createPersonalTokenReader } from './personal-token.reader.ts';
import { createProjectInviteeReader } from './project-invitee.reader.ts';

const accounts = `select ${accountTable.select()} from accounts`;
const aliveSessions = `select ${sessionTable.select()} from sessions where account_id = $1 and revoke_time is null and expire_time > $2`;
const lastUsedFirst = 'order by last_used_time desc, id desc limit $3';

const statements = {
  findAccount: { name: 'account-find', text: `${accounts} where id = $1` },
  // Both ways in which the unique index knows a mailbox, each with an index; and the very spelling.
  findByEmail: {
    name: 'account-find-by-email',
    text: `${accounts} where (email = any ($1) or mailbox = $2) and not service_account`,
  },
  listFirst: { name: 'session-list-first', text: `${aliveSessions} ${lastUsedFirst}` },
  listAfter: {
    name: 'session-list-after',
    text: `${aliveSessions} and (last_used_time, id) < ($4, $5) ${lastUsedFirst}`,
  },
  isInvited: {
    name: 'invitation-is-open',
    text: `
      select 1 from invitations
      where (token_hash = $1 or mail_token_hash = $1) and mailbox = $2 and expire_time > $3
        and accept_time is null and revoke_time is null
      union all
      select 1 from project_invitees
      where token_hash = $1 and mailbox = $2 and expire_time > $3 and accept_time is null`,
  },
  findAccountToken: {
    name: 'account-token-find',
    text: `select ${accountTokenTable.select()} from account_tokens where token_hash = $1`,
  },
  findAccountTokenById: {
    name: 'account-token-find-by-id',
    text: `select ${accountTokenTable.select()} from account_tokens where id = $1`,
  },
  findMail: { name: 'mail-find', text: `select ${mailTable.select()} from mails where id = $1` },
  findInvitation: {
    name: 'invitation-find',
    text: `select ${invitationTable.select()} from invitations where id = $1`,
  },
  listInvitations: {
    name: 'invitation-list',
    text: `
      select ${invitationTable.select()} from invitations where $1::timestamptz is null or (create_time, id) < ($1, $2)
      order by create_time desc, id desc limit $3`,
  },
};

/** One statement each and no transaction: a hundred sign-ins at once must not take the connections from other calls. */
export function createAuthReader(reader: SqlReader): AuthReader {
  const findAccounts = async (statement: Statement, parameters: unknown[]): Promise<Account[]> =>
    (await reader.query<RowOf<AccountColumns>>(statement, parameters)).map((row) =>
      Account.of(accountTable.toValues(row)),
    );
  const listSessions = async (statement: Statement, parameters: unknown[]): Promise<SessionValues[]> =>
    (await reader.query<RowOf<SessionColumns>>(statement, parameters)).map(sessionTable.toValues);
  const findOne = async <C extends Columns>(
    table: ColumnTable<C>,
    statement: Statement,
    parameter: string,
  ): Promise<Stored<C> | undefined> => (await reader.query<RowOf<C>>(statement, [parameter])).map(table.toValues)[0];
  return {
    findAccount: async (id) => (await findAccounts(statements.findAccount, [id]))[0],
    findAccountByEmail: async (email) => {
      const mailbox = toMailbox(email);
      const found = await findAccounts(statements.findByEmail, [[email, mailbox], mailbox]);
      return found.find((account) => account.email === email) ?? found[0];
    },
    listAliveSessions: (accountId, { now, after, limit }) =>
      after === undefined
        ? listSessions(statements.listFirst, [accountId, now, limit])
        : listSessions(statements.listAfter, [accountId, now, limit, after.lastUsedTime, after.id]),
    isInvited: async ({ tokenHash, email }, now) =>
      (await reader.query(statements.isInvited, [tokenHash, toMailbox(email), now])).length > 0,
    findAccountToken: (tokenHash) => findOne(accountTokenTable, statements.findAccountToken, tokenHash),
    findAccountTokenById: (id) => findOne(accountTokenTable, statements.findAccountTokenById, id),
    findMail: (id) => findOne(mailTable, statements.findMail, id),
    findInvitation: (id) => findOne(invitationTable, statements.findInvitation, id),
    listInvitations: async (after, limit) => {
      const parameters = [after?.createTime ?? null, after?.id ?? null, limit];
      const rows = await reader.query<RowOf<InvitationColumns>>(statements.listInvitations, parameters);
      return rows.map(invitationTable.toValues);
    },
    ...createPersonalTokenReader(reader),
    ...createProjectInviteeReader(reader),
    recall: (once) => recall(reader, once),
  };
}
