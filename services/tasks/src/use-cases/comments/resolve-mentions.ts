import type { UserActor } from '#libs/runtime';
import type { TasksDeps } from '../../deps.ts';
import { findMentions } from '../../domain/mentions.ts';
import type { People } from '../../domain/people.ts';
import { maySee } from '../../domain/task-access.ts';
import { peopleOf } from '../../domain/task.messages.ts';

export interface Mentions {
  /** Whom the comment mentions: those whom the request names, and those whom the text does. */
  mentionIds: string[];
  people: People;
  /** Those whose names had to be known. */
  named: readonly string[];
}

interface Words {
  text: string;
  mentionIds: readonly string[];
}

/**
 * Looks up names before the transaction: those of people of the task, whom the writer sees there anyway. Whether the
 * task exists for the writer is decided in the transaction.
 */
export async function resolveMentions(
  { taskReader, people }: Pick<TasksDeps, 'taskReader' | 'people'>,
  actor: UserActor,
  taskId: string | undefined,
  { text, mentionIds }: Words,
): Promise<Mentions> {
  const task = taskId === undefined || !text.includes('@') ? undefined : await taskReader.find(taskId);
  const named = task === undefined || !maySee(actor, task) ? [] : peopleOf([task]);
  const known = await people.lookUp([actor.userId, ...named]);
  const found = findMentions(
    text,
    named.map((id) => ({ id, name: known.nameOf(id) })),
  );
  return { mentionIds: [...new Set([...mentionIds, ...found])].sort(), people: known, named };
}
