import type { AccountCopy, NotificationSettings, ProfileValues } from './profile.columns.ts';
import type { Profile } from './profile.entity.ts';

/** For changes, inside a transaction. */
export interface ProfileRepository {
  /** The profile, locked until the transaction ends. */
  lock(id: string): Promise<Profile | undefined>;
  /** A copy that is not newer than the stored one changes nothing, nor does one of a removed user. */
  upsertAccountCopy(copy: AccountCopy, now: Date): Promise<void>;
  /** Removes the profile, and what is recorded of requests about it, for good. */
  remove(id: string): Promise<void>;
  /** Up to `limit` profiles after an id whose mailbox may be spelled unlike their e-mail, in the order of their ids. */
  listForeignEmails(afterId: string, limit: number): Promise<Pick<Profile, 'id' | 'email' | 'mailbox'>[]>;
  /** Changes nothing when the e-mail has changed meanwhile. */
  setMailbox(profile: Pick<Profile, 'id' | 'email' | 'mailbox'>): Promise<void>;
}

/** Where a page ends: the last profile on it. */
export type ProfilePosition = Pick<ProfileValues, 'createTime' | 'id'>;
/** What other services may know of a user. */
export const summaryColumns = ['id', 'displayName', 'enabled', 'serviceAccount'] as const;
export type UserSummary = Pick<ProfileValues, (typeof summaryColumns)[number]>;

/** The user of an e-mail. */
export interface FoundProfile {
  /** As it was asked for. */
  email: string;
  user: UserSummary;
  /** null: the operator's default holds. */
  discoverable: boolean | null;
}

/** Some of the roles, and some of true and false. */
export interface ProfileFilter {
  roles: ProfileValues['role'][];
  enabled: boolean[];
}

/** Reads without a transaction. */
export interface ProfileReader {
  find(id: string): Promise<ProfileValues | undefined>;
  /**
   * The enabled users of the e-mails, in any spelling, in their order; one statement, which does the same work for an
   * e-mail that nobody has. Of two users from before mailboxes were compared, the one that is spelled so.
   */
  findByEmails(emails: readonly string[]): Promise<FoundProfile[]>;
  /** Newest first, after the given position. */
  list(filter: ProfileFilter, after: ProfilePosition | undefined, limit: number): Promise<ProfileValues[]>;
  /**
   * As `list`, but only those whose e-mail or display name begins with the text, letter case aside, the e-mail in any
   * spelling.
   */
  search(
    prefix: string,
    filter: ProfileFilter,
    after: ProfilePosition | undefined,
    limit: number,
  ): Promise<ProfileValues[]>;
  /** One statement, however many ids; unknown ones are left out. */
  listSummaries(ids: readonly string[]): Promise<UserSummary[]>;
  /** As `listSummaries`. */
  listNotificationSettings(ids: readonly string[]): Promise<NotificationSettings[]>;
}
