import { adminRequired } from './task.errors.ts';

export interface Person {
  userId: string;
  role: 'user' | 'admin';
}

/** The same as Task.isVisibleTo, for the message. */
export function maySee(person: Person, task: { ownerId: string; assigneeId: string }): boolean {
  return person.role === 'admin' || task.ownerId === person.userId || task.assigneeId === person.userId;
}

/** Users may name only themselves as the owner of a list; administrators may name anybody. '' = no owner. */
export function requireListAccess(person: Person, ownerId: string): void {
  if (ownerId !== '' && ownerId !== person.userId && person.role !== 'admin') throw adminRequired(ownerId);
}
