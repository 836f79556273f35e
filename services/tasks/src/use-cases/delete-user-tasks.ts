import type { DeleteUserTasksResponse } from '#contract/tasks/v1/tasks';
import { crashPoint } from '#libs/runtime';
import type { ErasedEvent } from '#libs/events';
import type { Repositories, TasksDeps } from '../deps.ts';
import type { Task } from '../domain/task.entity.ts';
import { eraseComments } from './comments/erase-comments.ts';
import { removeMembership } from './projects/remove-memberships.ts';
import { handOverOne, passOne, remover, unassignOne, type GoneTask } from '../domain/user-removal.ts';

export interface DeleteUserTasksInput {
  userId: string;
  /** '' = nobody. */
  successorId: string;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people'>;

const taskLimit = 100;
const eventLimit = 1000;

/** Removes one batch of what belongs to a user whose account is being removed. */
export async function deleteUserTasks(
  { uow, clock, people }: Deps,
  input: DeleteUserTasksInput,
): Promise<DeleteUserTasksResponse> {
  const more = await uow.run(async (repositories) => {
    const isMore = await removeBatch(repositories, input, clock.now());
    crashPoint('delete-user-tasks.before-commit');
    return isMore;
  });
  crashPoint('delete-user-tasks.after-commit');
  if (!more) await people.forget(input.userId);
  return { more };
}

/** Each step finds nothing to do once it has done all. Returns whether one did anything. */
async function removeBatch(repositories: Repositories, input: DeleteUserTasksInput, now: Date): Promise<boolean> {
  const { userId, successorId } = input;
  const { tasks, userTasks } = repositories;
  if (await handOverInProject(repositories, input, now)) return true;
  const owned = await userTasks.lockOwned(userId, { deleted: true, limit: taskLimit });
  if (owned.length > 0) {
    const isPassed = successorId !== '' && owned[0]?.deleteTime === null;
    await (isPassed ? passTasks(repositories, owned, successorId, now) : removeTasks(repositories, userId, owned));
    return true;
  }
  const assigned = await userTasks.lockAssigned(userId, taskLimit);
  if (assigned.length > 0) {
    await tasks.write(
      assigned.map((task) => unassignOne(task, now)),
      {},
    );
    return true;
  }
  return (
    (await eraseComments(repositories, userId, now)) ||
    (await removeMembership(repositories, input, now)) ||
    (await removeGone(repositories, userId)) ||
    removeTraces(repositories, userId)
  );
}

/** The tasks of a project stay in it, with its highest member who joined first; without any they pass as others do. */
async function handOverInProject(
  { projects, userTasks }: Repositories,
  { userId, successorId }: DeleteUserTasksInput,
  now: Date,
): Promise<boolean> {
  const projectId = await userTasks.findProjectOf(userId);
  if (projectId === undefined) return false;
  const found = await userTasks.lockInProject(userId, projectId, taskLimit);
  const heirId = (await projects.findHeir(projectId, userId))?.userId ?? successorId;
  if (heirId === '') return false;
  await userTasks.pass(found.map((task) => handOverOne(task, { userId, heirId, actorId: remover }, now)));
  return true;
}

async function passTasks(
  { userTasks }: Repositories,
  owned: readonly Task[],
  successorId: string,
  now: Date,
): Promise<void> {
  await userTasks.pass(owned.map((task) => passOne(task, successorId, now)));
}

/**
 * Erases events of the tasks, and removes the tasks when all of these are erased. Whom an event concerned may not have
 * read it yet, such as a former assignee, and is told that the task is gone.
 */
async function removeTasks({ userTasks }: Repositories, userId: string, owned: readonly Task[]): Promise<void> {
  const events = await userTasks.eraseEvents(
    owned.map(({ id }) => id),
    eventLimit,
  );
  await userTasks.removeAnswers(userId, actorsOf(events));
  const gone = owned.map(({ id, version, assigneeId }) =>
    goneTask({ taskId: id, version, people: [assigneeId ?? userId, ...audienceOf(id, events)] }, userId),
  );
  await userTasks.remove(events.length < eventLimit ? owned : [], gone);
}

/** Erases the events of tasks that were removed before, of which others may not have read yet either. */
async function removeGone({ userTasks }: Repositories, userId: string): Promise<boolean> {
  const taskIds = await userTasks.listGone(userId, taskLimit);
  if (taskIds.length === 0) return false;
  const events = await userTasks.eraseEvents(taskIds, eventLimit);
  await userTasks.removeAnswers(userId, actorsOf(events));
  const gone = taskIds.map((taskId) =>
    goneTask({ taskId, version: lastVersion(taskId, events), people: audienceOf(taskId, events) }, userId),
  );
  await userTasks.remove([], gone);
  return true;
}

function goneTask(
  { taskId, version, people }: { taskId: string; version: bigint; people: readonly string[] },
  userId: string,
): GoneTask {
  const others = new Set(people);
  others.delete(userId);
  return { taskId, version: version + 1n, ownerId: userId, others: [...others] };
}

const audienceOf = (taskId: string, events: readonly ErasedEvent[]): string[] =>
  events.flatMap(({ subjectId, audience }) => (subjectId === taskId ? audience : []));

const lastVersion = (taskId: string, events: readonly ErasedEvent[]): bigint =>
  events.reduce(
    (last, { subjectId, subjectVersion }) => (subjectId === taskId && subjectVersion > last ? subjectVersion : last),
    0n,
  );

/** Removes the user from the parts of the log that others have, and what is recorded beside it. */
async function removeTraces({ userTasks, watchers }: Repositories, userId: string): Promise<boolean> {
  const { actors, count } = await userTasks.leaveAudience(userId, eventLimit);
  await userTasks.removeAnswers(userId, actors);
  if (count > 0 || (await watchers.removeOf(userId, eventLimit)) > 0) return true;
  await userTasks.removeRest(userId);
  return false;
}

const actorsOf = (events: readonly ErasedEvent[]): string[] => [...new Set(events.map(({ actor }) => actor))];
