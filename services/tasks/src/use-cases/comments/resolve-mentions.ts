import type { UserActor } from '#libs/runtime';
import type { TasksDeps } from '../../deps.ts';
import { findMentions } from '../../domain/mentions.ts';
import type { People } from '../../domain/people.ts';
import { maySee } from '../../domain/task-access.ts';

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
  { taskReader, commentReader, people }: Pick<TasksDeps, 'taskReader' | 'commentReader' | 'people'>,
  actor: UserActor,
  taskId: string | undefined,
  { text, mentionIds }: Words,
): Promise<Mentions> {
  const found = taskId === undefined || !text.includes('@') ? undefined : await taskReader.find(taskId, actor.userId);
  const named = found && maySee(actor, found) ? await commentReader.listPeople(found.task.id) : [];
  const known = await people.lookUp([actor.userId, ...named]);
  const mentioned = findMentions(
    text,
    named.map((id) => ({ id, name: known.nameOf(id) })),
  );
  return { mentionIds: [...new Set([...mentionIds, ...mentioned])].sort(), people: known, named };
}
