import { adminRequired } from './task.errors.ts';

/** Everybody may name themselves as the owner; administrators anybody. '' names nobody. */
export function requireListAccess(person: { userId: string; role: 'user' | 'admin' }, ownerId: string): void {
  if (ownerId !== '' && ownerId !== person.userId && person.role !== 'admin') throw adminRequired();
}
