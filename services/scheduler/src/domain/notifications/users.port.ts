import type { NotificationSettings } from '#contract/users/v1/users';

/** The users service. */
export interface UsersPort {
  /** When and where people want notifications, by user id; those without a profile (yet) are left out. */
  settings(userIds: readonly string[]): Promise<Map<string, NotificationSettings>>;
}
