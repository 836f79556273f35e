import { defineEntity, p } from '@mikro-orm/core';

export const roles = ['user', 'admin'] as const;
export type ProfileRole = (typeof roles)[number];

/** Ways for notifications, in the order in which they are stored and told. */
export const channels = ['inbox', 'email', 'webhook'] as const;
export type Channel = (typeof channels)[number];

export const ProfileSchema = defineEntity({
  name: 'Profile',
  tableName: 'profiles',
  indexes: [
    { name: 'profiles_create_time_id_idx', properties: ['createTime', 'id'] },
    // For prefixes: compared byte by byte.
    { name: 'profiles_email_prefix_idx', expression: 'create index profiles_email_prefix_idx on profiles (lower(email) text_pattern_ops)' },
    {
      name: 'profiles_display_name_prefix_idx',
      expression: 'create index profiles_display_name_prefix_idx on profiles (lower(display_name) text_pattern_ops)',
    },
  ],
  properties: {
    /** The account's id. */
    id: p.uuid().primary(),
    // A read copy of the account: only auth changes these, through UpsertProfile.
    email: p.text(),
    role: p.enum(roles),
    enabled: p.boolean(),
    accountVersion: p.bigint(),
    // The user's own.
    displayName: p.text(),
    timeZone: p.text(),
    locale: p.text(),
    overdueHour: p.smallint().default(9),
    /** A set. */
    channels: p.array().columnType('text[]').$type<Channel[]>().defaultRaw(`'{inbox}'`),
    /** Grows with every write, whoever makes it. */
    version: p.bigint(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
  },
  checks: [
    { name: 'profiles_overdue_hour_check', expression: 'overdue_hour >= 0 and overdue_hour <= 23' },
    { name: 'profiles_channels_check', expression: `channels <@ array['inbox', 'email', 'webhook']` },
  ],
});

export interface Settings {
  displayName: string;
  timeZone: string;
  locale: string;
  overdueHour: number;
  channels: Channel[];
}

export const initialSettings: Readonly<Omit<Settings, 'displayName'>> = { timeZone: 'UTC', locale: 'en', overdueHour: 9, channels: ['inbox'] };

/** The fields to change; those left out stay as they are. */
export type ProfileChange = Partial<Settings>;

/** What a user shows and prefers. */
export class Profile extends ProfileSchema.class {
  get etag(): string {
    return etagOf(this.version);
  }

  /** Changes what is given; a change to what is there already is none. */
  change(change: ProfileChange, now: Date): void {
    const { displayName, timeZone, locale, overdueHour } = this;
    const before: Settings = { displayName, timeZone, locale, overdueHour, channels: this.channels };
    const after: Settings = { ...before, ...change };
    if (isEqual(before, after)) return;
    Object.assign(this, { ...after, version: this.version + 1n, updateTime: now });
  }
}
ProfileSchema.setClass(Profile);

function isEqual(one: Settings, other: Settings): boolean {
  const keys = Object.keys(one) as (keyof Settings)[];
  return keys.every((key) => String(one[key]) === String(other[key]));
}

export function etagOf(version: bigint): string {
  return `"${version.toString(36)}"`;
}
