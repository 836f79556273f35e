import { p } from '@mikro-orm/core';
import { Session as SessionMessage } from '#contract/auth/v1/auth';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { AccountSchema } from './account.entity.ts';

const revokeReasons = ['logout', 'token_reused', 'revoked', 'password_changed', 'account_disabled'] as const;
export type RevokeReason = (typeof revokeReasons)[number];

const toAccount = () =>
  p
    .manyToOne(AccountSchema)
    .mapToPk()
    .fieldName('account_id')
    .index('sessions_account_id_idx')
    .foreignKeyName('sessions_account_id_fkey')
    .updateRule('no action')
    .deleteRule('cascade');

/** Everything that is stored of a session. A column that is not internal is the field of its name in the message. */
export const sessionTable = defineColumns('sessions', {
  id: column.uuid().primary(),
  accountId: column.uuid().reference(toAccount).fixed().internal(),
  userAgent: column.text(),
  /** The address that the last sign-in or refresh came from. */
  peer: column.text().internal(),
  createTime: column.time().fixed(),
  lastUsedTime: column.time().internal(),
  expireTime: column.time(),
  revokeTime: column.time().nullable().internal(),
  revokeReason: column.oneOf(revokeReasons).nullable().internal(),
});

export type SessionColumns = typeof sessionTable.columns;
export type SessionValues = Stored<SessionColumns>;

/** Where a sign-in or a refresh comes from, for the list of sessions. */
export type ClientInfo = Pick<SessionValues, 'userAgent' | 'peer'>;

const maxUserAgentCharacters = 200;

export function toClientInfo({ userAgent, peer }: ClientInfo): ClientInfo {
  return { userAgent: [...userAgent].slice(0, maxUserAgentCharacters).join(''), peer };
}

/** The session that a sign-in opens. */
export function newSession(
  identity: Pick<SessionValues, 'id' | 'accountId'> & ClientInfo,
  now: Date,
  lifetimeMs: number,
): SessionValues {
  return {
    ...identity,
    createTime: now,
    lastUsedTime: now,
    expireTime: new Date(now.getTime() + lifetimeMs),
    revokeTime: null,
    revokeReason: null,
  };
}

/** Changes with every refresh. */
export function sessionEtag({ lastUsedTime }: Pick<SessionValues, 'lastUsedTime'>): string {
  return `"${lastUsedTime.getTime().toString(36)}"`;
}

/** The session as its owner sees it from a call in the current session. */
export const toSessionMessage = defineMessage<SessionMessage, { currentSessionId: string }>(
  SessionMessage.fromPartial({}),
)(sessionTable, {
  lastUseTime: ({ lastUsedTime }) => lastUsedTime,
  ipAddress: ({ peer }) => peer,
  current: ({ id }, { currentSessionId }) => id === currentSessionId,
  etag: sessionEtag,
});
