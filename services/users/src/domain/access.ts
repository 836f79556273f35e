import { userNotFound } from './users.errors.ts';

/** Users see themselves, administrators everybody. Anybody else is answered as if the user did not exist. */
export function assertMaySee(actor: { userId: string; role: 'user' | 'admin' }, userId: string): void {
  if (actor.userId !== userId && actor.role !== 'admin') throw userNotFound(userId);
}
