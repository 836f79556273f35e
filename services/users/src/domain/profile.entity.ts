import { isDeepStrictEqual } from 'node:util';
import { defineEntityOf } from '#libs/db';
import { etagOf, profileTable, type ProfileChange } from './profile.columns.ts';

export const ProfileSchema = defineEntityOf(profileTable, {
  name: 'Profile',
  indexes: [
    { name: 'profiles_create_time_id_idx', properties: ['createTime', 'id'] },
    { name: 'profiles_kind_idx', properties: ['role', 'enabled', 'createTime', 'id'] },
    // For prefixes: compared byte by byte. The e-mail's is that of the release before.
    {
      name: 'profiles_mailbox_prefix_idx',
      expression:
        'create index profiles_mailbox_prefix_idx on profiles (coalesce(mailbox, lower(email)) text_pattern_ops)',
    },
    {
      name: 'profiles_email_prefix_idx',
      expression: 'create index profiles_email_prefix_idx on profiles (lower(email) text_pattern_ops)',
    },
    {
      name: 'profiles_display_name_prefix_idx',
      expression: 'create index profiles_display_name_prefix_idx on profiles (lower(display_name) text_pattern_ops)',
    },
  ],
  checks: [
    { name: 'profiles_overdue_hour_check', expression: 'overdue_hour >= 0 and overdue_hour <= 23' },
    { name: 'profiles_channels_check', expression: `channels <@ array['inbox', 'email', 'webhook']` },
  ],
});

/** What a user shows and prefers. */
export class Profile extends ProfileSchema.class {
  get etag(): string {
    return etagOf(this.version);
  }

  /** Changes what is given; setting a field to its present value is no change. */
  change(change: ProfileChange, now: Date): void {
    const isSame = Object.entries(change).every(([key, value]) =>
      isDeepStrictEqual(this[key as keyof ProfileChange], value),
    );
    if (!isSame) Object.assign(this, change, { version: this.version + 1n, updateTime: now });
  }
}
ProfileSchema.setClass(Profile);
