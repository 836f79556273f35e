import { crashPoint, type Clock } from '#libs/runtime';
import type { Repositories, TasksDeps } from '../../deps.ts';
import type { Departure } from '../../domain/departure.columns.ts';
import { handOverOne } from '../../domain/user-removal.ts';

const taskLimit = 200;
const actorId = 'service:tasks';

/**
 * Hands over one batch of the tasks of somebody who has left a project. Each step finds nothing to do once it has done all, so
 * it goes on where it was after a crash. Returns whether there may be more to do.
 */
export async function handOverDeparted({ uow, clock }: Pick<TasksDeps, 'uow' | 'clock'>): Promise<{ again: boolean }> {
  const again = await uow.run(async (repositories) => {
    const isMore = await handOverBatch(repositories, clock);
    if (isMore) crashPoint('hand-over.before-commit');
    return isMore;
  });
  if (again) crashPoint('hand-over.after-commit');
  return { again };
}

async function handOverBatch(repositories: Repositories, clock: Clock): Promise<boolean> {
  const { departures, userTasks } = repositories;
  const departure = await departures.findOldest();
  if (departure === undefined) return false;
  const { projectId, userId } = departure;
  const locked = await userTasks.lockInProject(userId, projectId, taskLimit);
  // Behind the lock on the project: somebody who has been added again keeps what is left.
  if (!(await departures.isStillGone(departure))) return true;
  const heirId = await findHeir(repositories, departure);
  if (heirId === undefined) return departures.end(departure);
  // Another replica may have handed these over while this one waited for them.
  const tasks = locked.filter(({ ownerId, assigneeId }) => [ownerId, assigneeId].includes(userId));
  if (tasks.length > 0) {
    const now = clock.now();
    await userTasks.pass(tasks.map((task) => handOverOne(task, { userId, heirId, actorId }, now)));
    return true;
  }
  if (locked.length > 0 || (await departures.passDeleted(departure, heirId, taskLimit)) > 0) return true;
  return departures.end(departure);
}

/** The manager who removed the person, while they are one; otherwise the one who joined first. */
async function findHeir(
  { projects }: Repositories,
  { projectId, userId, removedBy }: Departure,
): Promise<string | undefined> {
  const remover = removedBy === null ? undefined : await projects.findMember(projectId, removedBy);
  if (remover?.isManager() === true) return remover.userId;
  return (await projects.findHeir(projectId, userId))?.userId;
}
