import type { Repositories } from '../../deps.ts';
import { eraseOne } from '../../domain/comment-writes.ts';

const commentLimit = 100;

/**
 * Deletes comments that a user whose account is being removed has written about tasks of others. What stays tells that
 * there was one. Returns false when there is none.
 */
export async function eraseComments({ comments }: Repositories, userId: string, now: Date): Promise<boolean> {
  const written = await comments.lockWrittenBy(userId, commentLimit);
  const writes = written.map(({ comment, task }) => eraseOne(comment, task, now));
  const [silent, told] = [writes.filter(({ task }) => task.deleteTime !== null), writes.filter(isTold)];
  if (silent.length > 0) await comments.writeSilently(silent.map(({ comment }) => comment));
  if (told.length > 0) await comments.write(told, {});
  return written.length > 0;
}

const isTold = ({ task }: { task: { deleteTime: Date | null } }): boolean => task.deleteTime === null;
