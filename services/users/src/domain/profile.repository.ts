import type { Profile, ProfileRole, Settings } from './profile.entity.ts';

/** A profile as it is read; the same columns as the entity. */
export type ProfileView = Pick<
  Profile,
  'id' | 'email' | 'role' | 'enabled' | 'version' | 'createTime' | 'updateTime' | keyof Settings
>;

export interface AccountCopy {
  id: string;
  email: string;
  role: ProfileRole;
  enabled: boolean;
  /** Of the account; a copy that is not newer than the stored one changes nothing. */
  accountVersion: bigint;
  /** Taken for a new profile only. */
  displayName: string;
  createTime: Date;
}

/** For changes, inside a transaction. */
export interface ProfileRepository {
  /** The profile, locked until the transaction ends. */
  lock(id: string): Promise<Profile | undefined>;
  upsertAccountCopy(copy: AccountCopy, now: Date): Promise<void>;
}

/** Where a page ends: the last profile on it. */
export interface ProfilePosition {
  createTime: Date;
  id: string;
}

export interface UserSummary {
  id: string;
  displayName: string;
  enabled: boolean;
}

/** When and where a user wants notifications. */
export type NotificationSettings = Pick<ProfileView, 'id' | 'timeZone' | 'overdueHour' | 'channels'>;

/** Reads without a transaction. */
export interface ProfileReader {
  find(id: string): Promise<ProfileView | undefined>;
  /** Newest first, after the given position. */
  list(after: ProfilePosition | undefined, limit: number): Promise<ProfileView[]>;
  /** As `list`, but only those whose e-mail or display name begins with the text, letter case aside. */
  search(prefix: string, after: ProfilePosition | undefined, limit: number): Promise<ProfileView[]>;
  /** One statement, however many ids; unknown ones are left out. */
  listSummaries(ids: readonly string[]): Promise<UserSummary[]>;
  /** As `listSummaries`. */
  listNotificationSettings(ids: readonly string[]): Promise<NotificationSettings[]>;
}
