import type { UserActor } from '#libs/runtime';
import type { ListTaskEventsResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { countFitting } from '../domain/message-size.ts';
import { mayOnTask } from '../domain/task-access.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { toTaskEventFor } from '../domain/task.events.ts';

export interface ListTaskEventsInput {
  taskId: string;
  pageSize: number;
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'pageTokens'>;

/** Until it is purged, the history of a deleted task is for those who may bring it back. */
export async function listTaskEvents(
  { taskFeed, pageTokens }: Deps,
  actor: UserActor,
  input: ListTaskEventsInput,
): Promise<ListTaskEventsResponse> {
  const { taskId, pageSize, pageToken } = input;
  const scope = { caller: actor.userId, method: 'ListTaskEvents', filter: { taskId } };
  const after = BigInt(pageTokens.open<string>(pageToken, scope) ?? 0);
  const found = await taskFeed.findForHistory(taskId, actor.userId);
  if (found === undefined || !mayOnTask(actor, found, found.isDeleted ? 'write' : 'see')) throw taskNotFound(taskId);

  const page = await taskFeed.history(taskId, after, pageSize);
  const events = page.events.slice(0, countFitting(page.events.map(({ payload }) => payload.byteLength + 512)));
  const last = page.more || events.length < page.events.length ? events.at(-1) : undefined;
  return {
    events: events.map((event) => toTaskEventFor(actor, event)),
    nextPageToken: last === undefined ? '' : pageTokens.seal(String(last.position.eventId), scope),
  };
}
