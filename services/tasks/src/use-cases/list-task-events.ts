import type { UserActor } from '#libs/runtime';
import type { ListTaskEventsResponse, TaskEvent } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { countFitting } from '../domain/message-size.ts';
import { mayOnTask } from '../domain/task-access.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { sizeOfComment } from '../domain/comment.messages.ts';
import { toTaskEventFor } from '../domain/task.events.ts';
import { withTexts } from './comments/with-texts.ts';

export interface ListTaskEventsInput {
  taskId: string;
  pageSize: number;
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'commentReader' | 'pageTokens'>;

/** Until it is purged, the history of a deleted task is for those who may bring it back. */
export async function listTaskEvents(
  { taskFeed, commentReader, pageTokens }: Deps,
  actor: UserActor,
  input: ListTaskEventsInput,
): Promise<ListTaskEventsResponse> {
  const { taskId, pageSize, pageToken } = input;
  const scope = { caller: actor.userId, method: 'ListTaskEvents', filter: { taskId } };
  const after = BigInt(pageTokens.open<string>(pageToken, scope) ?? 0);
  const found = await taskFeed.findForHistory(taskId, actor.userId);
  if (found === undefined || !mayOnTask(actor, found, found.isDeleted ? 'write' : 'see')) throw taskNotFound(taskId);

  const page = await taskFeed.history(taskId, after, pageSize);
  const told = await withTexts(
    { commentReader },
    page.events.map((event) => toTaskEventFor(actor, event)),
  );
  const sizes = page.events.map(({ payload }, index) => payload.byteLength + 512 + sizeOfText(told[index]));
  const events = told.slice(0, countFitting(sizes));
  const last = page.more || events.length < told.length ? page.events[events.length - 1] : undefined;
  return { events, nextPageToken: last === undefined ? '' : pageTokens.seal(String(last.position.eventId), scope) };
}

const sizeOfText = (event: TaskEvent | undefined): number =>
  event?.change?.comment === undefined ? 0 : sizeOfComment(event.change.comment);
