import { Account, Invitation, PersonalToken, ProjectInvitee, Session } from '#contract/auth/v1/auth';
import { canonicalJson } from '#libs/contract';
import type { SqlReader, Statement } from '#libs/db';
import {
  auditEvents,
  commonTables,
  defineExportPart,
  readPages,
  type ExportedData,
  type ExportPart,
} from '#libs/export';
import { toAccountMessage } from '../domain/account.columns.ts';
import { invitationTable, toInvitationMessage } from '../domain/invitation.columns.ts';
import { toPersonalTokenMessage, type PersonalTokenValues } from '../domain/personal-token.columns.ts';
import { projectInviteeTable, toProjectInviteeMessage } from '../domain/project-invitee.columns.ts';
import { sessionTable, toSessionMessage } from '../domain/session.columns.ts';
import { createAuthReader } from './auth.reader.ts';

const firstId = '00000000-0000-0000-0000-000000000000';

/** Rows of a person, in the order of their ids. */
function readById<Row, Values extends { id: string }>(
  reader: SqlReader,
  table: { toValues(row: Row): Values },
  statement: Statement,
  personId: string,
) {
  return readPages(
    async (after: string | undefined, limit) =>
      (await reader.query<Row>(statement, [personId, after ?? firstId, limit])).map(table.toValues),
    ({ id }) => id,
  );
}

const account = defineExportPart({
  type: 'account',
  message: canonicalJson('taskflow.auth.v1.Account', Account),
  tables: ['accounts'],
  pages: async function* (reader, { userId }) {
    const found = await createAuthReader(reader).findAccount(userId);
    if (found !== undefined) yield [toAccountMessage(found)];
  },
});

/** Sessions that can be refreshed, or the others; which are kept until they would have ended by themselves. */
function sessionsPart(type: string, isWanted: string): ExportPart {
  const statement: Statement = {
    name: `export_${type}`,
    text: `
      select ${sessionTable.select()} from sessions
      where account_id = $1 and (revoke_time is null and expire_time > now()) is ${isWanted} and id > $2
      order by id limit $3`,
  };
  return defineExportPart({
    type,
    message: canonicalJson('taskflow.auth.v1.Session', Session),
    tables: ['sessions'],
    pages: async function* (reader, { userId, sessionId: currentSessionId }) {
      for await (const sessions of readById(reader, sessionTable, statement, userId))
        yield sessions.map((session) => toSessionMessage(session, { currentSessionId }));
    },
  });
}

const personalTokens = defineExportPart({
  type: 'personal_token',
  message: canonicalJson('taskflow.auth.v1.PersonalToken', PersonalToken),
  tables: ['personal_tokens'],
  pages: async function* (reader, { userId }) {
    const pages = readPages(
      (after: Pick<PersonalTokenValues, 'createTime' | 'id'> | undefined, limit) =>
        createAuthReader(reader).listPersonalTokens(userId, after, limit),
      ({ createTime, id }) => ({ createTime, id }),
    );
    for await (const tokens of pages) yield tokens.map((token) => toPersonalTokenMessage(token));
  },
});

const invitationsBy: Statement = {
  name: 'export_invitation',
  text: `select ${invitationTable.select()} from invitations where inviter_id = $1 and id > $2 order by id limit $3`,
};

/** Those that the person made as an administrator. */
const invitations = defineExportPart({
  type: 'invitation',
  message: canonicalJson('taskflow.auth.v1.Invitation', Invitation),
  tables: ['invitations'],
  pages: async function* (reader, { userId }) {
    for await (const made of readById(reader, invitationTable, invitationsBy, userId))
      yield made.map((invitation) => toInvitationMessage(invitation));
  },
});

const inviteesOf: Statement = {
  name: 'export_project_invitee',
  text: `
    select ${projectInviteeTable.select()} from project_invitees
    where id > $2 and (inviter_id = $1 or accepter_id = $1 or mailbox in (
      select coalesce(mailbox, email) from accounts where id = $1 and email_verify_time is not null))
    order by id limit $3`,
};

/** Invitations to projects that the person made, accepted, or got at the verified e-mail. */
const projectInvitees = defineExportPart({
  type: 'project_invitee',
  message: canonicalJson('taskflow.auth.v1.ProjectInvitee', ProjectInvitee),
  tables: ['project_invitees'],
  pages: async function* (reader, { userId }) {
    for await (const found of readById(reader, projectInviteeTable, inviteesOf, userId))
      yield found.map((invitee) => toProjectInviteeMessage(invitee));
  },
});

/** What people can take away from this service. */
export const exportedData: ExportedData = {
  parts: [
    account,
    sessionsPart('session', 'true'),
    sessionsPart('ended_session', 'false'),
    personalTokens,
    invitations,
    projectInvitees,
    auditEvents,
  ],
  leftOut: {
    ...commonTables,
    log_incarnations: 'which lives the database has had',
    account_deletions: 'how far the removal of an account is, which nobody can read any more',
    account_tokens: 'digests of tokens that set a password or verify an e-mail, for an hour or a day',
    mails: 'mails that are on their way; the audit log has what they tell of',
    refresh_tokens: 'digests of tokens; the sessions are exported',
    revocations: 'which access tokens have ended before their time; gone after minutes',
    signing_keys: 'belong to nobody',
    outbox: 'calls to other services that are on their way',
  },
};
