import type { Repositories, TasksDeps } from '../deps.ts';
import { handOverDeparted } from './projects/hand-over-departed.ts';

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'keepEventsMs'>;

/** A turn of a maintenance loop: one batch in one transaction. `again` = there may be more. */
type Turn = (deps: Deps) => Promise<{ again: boolean }>;

const inBatches =
  (size: number, work: (repositories: Repositories, size: number, deps: Deps) => Promise<number>): Turn =>
  async (deps) => ({ again: (await deps.uow.run((repositories) => work(repositories, size, deps))) === size });

// As the contract says.
const invitationsKeptMs = 30 * 24 * 3_600_000;

/** What the service does in the background, by the names of its loops. */
export const maintenance: Readonly<Record<string, Turn>> = {
  /** Deletes recorded requests whose time is over. */
  'prune-requests': inBatches(1000, ({ requests }, size) => requests.prune(size)),
  /** Deletes events that are older than they need to be kept. */
  'prune-events': inBatches(500, ({ events }, size, { keepEventsMs }) => events.prune(keepEventsMs, size)),
  /** Removes deleted tasks whose purge time is over. Their events stay. */
  'purge-tasks': inBatches(1000, ({ deletedTasks }, size) => deletedTasks.purge(size)),
  /** Removes the tasks of deleted projects whose purge time is over. Their events stay. */
  'purge-project-tasks': inBatches(500, async ({ userTasks }, size) => {
    const tasks = await userTasks.lockExpired(size);
    if (tasks.length > 0) await userTasks.remove(tasks, []);
    return tasks.length;
  }),
  /** Removes deleted projects whose purge time is over, with their members, behind their last task. */
  'purge-projects': inBatches(100, ({ projects }, size) => projects.purge(size)),
  /** Removes invitations to projects, 30 days after their time. */
  'prune-invitations': inBatches(500, ({ invitations }, size, { clock }) =>
    invitations.prune(new Date(clock.now().getTime() - invitationsKeptMs), size),
  ),
  /** Hands over the tasks of people who have left a project. */
  'hand-over-tasks': handOverDeparted,
  /** Has due tasks of projects that were archived or deleted become overdue when these are open again. */
  'bring-back-dues': inBatches(1000, ({ dueRowsAside }, size) => dueRowsAside.bringBack(size)),
  /** Keeps the rows short that statistics add up for each person. */
  'add-up-overdue': inBatches(1000, ({ overdueCounts }, size) => overdueCounts.addUp(size)),
};
