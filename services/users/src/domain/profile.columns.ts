import {
  NotificationChannel,
  Role,
  User,
  type NotificationSettings as NotificationSettingsMessage,
} from '#contract/users/v1/users';
import { column, defineColumns, defineMessage, type Changed, type Stored } from '#libs/db';
import { mailboxOf } from '#libs/text';
import * as inputs from './profile.inputs.ts';

export const roles = ['user', 'admin'] as const;

/**
 * Everything that is stored of a profile. A column that is not internal is the field of its name in the message.
 * Violations of what clients may write are reported in this order.
 */
export const profileTable = defineColumns('profiles', {
  /** The account's id. */
  id: column.uuid().primary(),
  // A read copy of the account: only auth changes these, through UpsertProfile.
  email: column.text(),
  /** What a search compares: the e-mail as toMailbox spells it; null where that changes nothing. */
  mailbox: column.text().nullable().internal(),
  role: column.oneOf(roles).internal(),
  enabled: column.boolean(),
  /** Whether the account's owner has shown that they read its mail. */
  emailVerified: column.boolean().defaultsTo('false'),
  serviceAccount: column.boolean().defaultsTo('false'),
  /** When a deleted account is removed. */
  purgeTime: column.time().nullable(),
  accountVersion: column.bigint().internal(),
  // The user's own.
  displayName: column.text().writable({ change: inputs.displayName, initial: '' }),
  timeZone: column.text().writable(inputs.timeZone),
  locale: column.text().writable(inputs.locale),
  overdueHour: column.smallint().defaultsTo('9').writable(inputs.overdueHour),
  /** A set. */
  channels: column.texts<inputs.Channel>().defaultsTo(`'{inbox}'`).internal().writable(inputs.channels),
  discoverable: column.boolean().nullable().internal().writable(inputs.discoverable),
  /** Grows with every write, auth's included. */
  version: column.bigint().internal(),
  createTime: column.time().fixed(),
  updateTime: column.time(),
});

export type ProfileColumns = typeof profileTable.columns;
export type ProfileValues = Stored<ProfileColumns>;
/** The fields to change; those left out stay as they are. */
export type ProfileChange = Changed<ProfileColumns>;
/** What auth sends of an account. The display name counts only for a profile that does not exist yet. */
export type AccountCopy = Pick<
  ProfileValues,
  | 'id'
  | 'email'
  | 'emailVerified'
  | 'role'
  | 'enabled'
  | 'serviceAccount'
  | 'purgeTime'
  | 'accountVersion'
  | 'displayName'
  | 'createTime'
>;

/** The profile that the first copy of an account makes. */
export function newProfile(copy: AccountCopy, now: Date): ProfileValues {
  return { ...profileTable.initial, ...copy, mailbox: mailboxOf(copy.email), version: 1n, updateTime: now };
}

export function etagOf(version: bigint): string {
  return `"${version.toString(36)}"`;
}

const roleMessages = { user: Role.USER, admin: Role.ADMIN };
const channelMessages = {
  inbox: NotificationChannel.INBOX,
  email: NotificationChannel.EMAIL,
  webhook: NotificationChannel.WEBHOOK,
};
const toChannelMessages = (channels: readonly inputs.Channel[]): NotificationChannel[] =>
  channels.map((channel) => channelMessages[channel]);

/** What the operator has decided for those who have not chosen. */
export interface ProfileDefaults {
  discoverable: boolean;
}

export const toUserMessage = defineMessage<User, ProfileDefaults>(User.fromPartial({}))(profileTable, {
  role: ({ role }) => roleMessages[role],
  channels: ({ channels }) => toChannelMessages(channels),
  discoverable: ({ discoverable }, defaults) => discoverable ?? defaults.discoverable,
  etag: ({ version }) => etagOf(version),
});

/** The columns that say when, where and in which language a user wants notifications. */
export const notificationColumns = [
  'id',
  'timeZone',
  'overdueHour',
  'channels',
  'email',
  'emailVerified',
  'enabled',
  'displayName',
  'locale',
] as const;
export type NotificationSettings = Pick<ProfileValues, (typeof notificationColumns)[number]>;

export function toSettingsMessage({ id, channels, ...rest }: NotificationSettings): NotificationSettingsMessage {
  return { userId: id, ...rest, channels: toChannelMessages(channels) };
}
