import { Account as AccountMessage, Role } from '#contract/auth/v1/auth';
import { column, defineColumns, defineMessage, type Stored } from '#libs/db';
import { mailboxOf } from '#libs/text';

const roles = ['user', 'admin'] as const;
export type AccountRole = (typeof roles)[number];

/** Everything that is stored of an account. A column that is not internal is the field of its name in the message. */
export const accountTable = defineColumns('accounts', {
  id: column.uuid().primary(),
  /** As normaliseEmail gives it. A service account has none: a name that is no e-mail, and unique, stands here. */
  email: column.text().internal(),
  /** When the owner showed that they read the mail of the e-mail; null when nobody has. */
  emailVerifyTime: column.time().nullable().internal(),
  /** As mailboxOf gives it; null also where an older account has the same mailbox. */
  mailbox: column.text().nullable().internal(),
  /** argon2id in PHC form; empty for a service account. */
  passwordHash: column.text().internal(),
  role: column.oneOf(roles).internal(),
  enabled: column.boolean(),
  /** For programs: it has personal tokens, but no sign-in. */
  serviceAccount: column.boolean().defaultsTo('false').fixed(),
  /** Grows when the password is changed, and not when the same password is only hashed anew. */
  passwordVersion: column.integer().defaultsTo('1').internal(),
  /** Access tokens issued before this are not valid; a full second, as tokens know no fractions. */
  tokensNotBefore: column.time().nullable().internal(),
  /** The name given at the registration, for a profile that does not exist yet. */
  registeredName: column.text().nullable().fixed().internal(),
  deleteTime: column.time().nullable(),
  /** From then on a deleted account is removed. */
  purgeTime: column.time().nullable(),
  /** Who deleted it. */
  deleterId: column.uuid().nullable().internal(),
  /** To whom the tasks of a deleted account pass. */
  successorId: column.uuid().nullable().internal(),
  /** Whether it was enabled when it was deleted. */
  enabledBefore: column.boolean().defaultsTo('false').internal(),
  /** Grows with every change that the profile's read copy shows. */
  version: column.bigint().internal(),
  createTime: column.time().fixed(),
  updateTime: column.time().internal(),
});

export type AccountColumns = typeof accountTable.columns;
export type AccountValues = Stored<AccountColumns>;

export type NewAccount = Pick<AccountValues, 'id' | 'email' | 'passwordHash' | 'role' | 'registeredName'> &
  Partial<Pick<AccountValues, 'emailVerifyTime'>>;

/** What an account has that is not deleted. */
export const notDeleted = {
  deleteTime: null,
  purgeTime: null,
  deleterId: null,
  successorId: null,
  enabledBefore: false,
};

export function newAccount(values: NewAccount, now: Date): AccountValues {
  return {
    emailVerifyTime: null,
    ...values,
    mailbox: mailboxOf(values.email),
    enabled: true,
    serviceAccount: false,
    version: 1n,
    passwordVersion: 1,
    tokensNotBefore: null,
    ...notDeleted,
    createTime: now,
    updateTime: now,
  };
}

export function newServiceAccount(
  { id, registeredName }: Pick<NewAccount, 'id' | 'registeredName'>,
  now: Date,
): AccountValues {
  const values = { id, email: `service:${id}`, passwordHash: '', role: 'user', registeredName } as const;
  return { ...newAccount(values, now), serviceAccount: true };
}

/** Changes with everything that an answer shows, and with the password. */
export function accountEtag({ version, passwordVersion }: Pick<AccountValues, 'version' | 'passwordVersion'>): string {
  return `"${version.toString(36)}-${passwordVersion.toString(36)}"`;
}

const roleMessages = { user: Role.USER, admin: Role.ADMIN };

export const toAccountMessage = defineMessage<AccountMessage, void>(AccountMessage.fromPartial({}))(accountTable, {
  email: ({ email, serviceAccount }) => (serviceAccount ? '' : email),
  role: ({ role }) => roleMessages[role],
  etag: accountEtag,
  emailVerified: ({ emailVerifyTime }) => emailVerifyTime !== null,
});
