import type { ProfileDefaults } from './profile.columns.ts';
import type { FoundProfile } from './profile.repository.ts';
import { userNotFound } from './users.errors.ts';

export interface Person {
  userId: string;
  role: 'user' | 'admin';
}

/** Users see themselves, administrators everybody. Anybody else is answered as if the user did not exist. */
export function assertMaySee(actor: Person, userId: string): void {
  if (actor.userId !== userId && actor.role !== 'admin') throw userNotFound(userId);
}

/** Whether the user may be found by e-mail by somebody who shares no task with them. */
export function isOpenTo(actor: Person, { user, discoverable }: FoundProfile, defaults: ProfileDefaults): boolean {
  return actor.userId === user.id || actor.role === 'admin' || (discoverable ?? defaults.discoverable);
}
