import { userNotFound } from './users.errors.ts';

/** Oneself, or anybody for administrators. For everybody else other users do not exist. */
export function assertMaySee(actor: { userId: string; role: 'user' | 'admin' }, userId: string): void {
  if (actor.userId !== userId && actor.role !== 'admin') throw userNotFound(userId);
}
