import { defineEntity, p } from '@mikro-orm/core';

export const roles = ['user', 'admin'] as const;
export type ProfileRole = (typeof roles)[number];

export const ProfileSchema = defineEntity({
  name: 'Profile',
  tableName: 'profiles',
  indexes: [{ name: 'profiles_create_time_id_idx', properties: ['createTime', 'id'] }],
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
    /** Grows with every write, whoever makes it. */
    version: p.bigint(),
    createTime: p.datetime(3),
    updateTime: p.datetime(3),
  },
});

export const initialSettings = { timeZone: 'UTC', locale: 'en' } as const;

export interface ProfileChange {
  displayName?: string | undefined;
  timeZone?: string | undefined;
  locale?: string | undefined;
}

/** What a user shows and prefers. */
export class Profile extends ProfileSchema.class {
  get etag(): string {
    return etagOf(this.version);
  }

  /** Changes what is given; a change to what is there already is none. */
  change(change: ProfileChange, now: Date): void {
    const { displayName = this.displayName, timeZone = this.timeZone, locale = this.locale } = change;
    if (displayName === this.displayName && timeZone === this.timeZone && locale === this.locale) return;
    Object.assign(this, { displayName, timeZone, locale, version: this.version + 1n, updateTime: now });
  }
}
ProfileSchema.setClass(Profile);

export function etagOf(version: bigint): string {
  return `"${version.toString(36)}"`;
}
