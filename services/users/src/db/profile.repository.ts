import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { initialSettings, Profile } from '../domain/profile.entity.ts';
import type { ProfileRepository } from '../domain/profile.repository.ts';

// The first copy makes the profile. A later one changes only what belongs to the account, and only when it is newer:
// copies may come twice, and out of order.
const upsertAccountCopy = `
  insert into profiles as stored
    (id, email, role, enabled, account_version, display_name, time_zone, locale, overdue_hour, channels, version, create_time, update_time)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12)
  on conflict (id) do update set
    email = excluded.email,
    role = excluded.role,
    enabled = excluded.enabled,
    account_version = excluded.account_version,
    version = stored.version + 1,
    update_time = excluded.update_time
  where excluded.account_version > stored.account_version`;

export function createProfileRepository(em: EntityManager): ProfileRepository {
  return {
    lock: async (id) => (await em.findOne(Profile, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    upsertAccountCopy: async (copy, now) => {
      const { id, email, role, enabled, accountVersion, displayName, createTime } = copy;
      const { timeZone, locale, overdueHour, channels } = initialSettings;
      const settings = [displayName, timeZone, locale, overdueHour, channels];
      await runStatement(em, upsertAccountCopy, [id, email, role, enabled, accountVersion, ...settings, createTime, now]);
    },
  };
}
