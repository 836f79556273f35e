import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { ReorderTaskRequest, ReorderTaskResponse } from '#contract/tasks/v1/tasks';
import type { Repositories, TasksDeps } from '../deps.ts';
import { requireOpenProject, type LockedTask } from '../domain/locked-task.ts';
import { maySee, requireOnTask } from '../domain/task-access.ts';
import { taskNotInProject } from '../domain/task.errors.ts';
import type { TaskWrite } from '../domain/task.events.ts';
import { peopleOf, toTaskAnswer } from '../domain/task.messages.ts';
import { endOf, positionIn, putOne, spreadIn, standsIn, type Surroundings } from '../domain/task-order.ts';
import { requireEtag, type WriteContext } from '../domain/task-writes.ts';

export interface ReorderTaskInput {
  taskId: string;
  /** Right in front of this task, or right behind it. */
  place: { side: 'before' | 'after'; taskId: string };
  /** '' = any version. */
  etag: string;
  idempotencyKey: string;
  validateOnly: boolean;
  body: ReorderTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'taskReader'>;

/** How many tasks on each side are spread anew at first; more when there is no room among them. */
const spreadAtFirst = 50;

export async function reorderTask(deps: Deps, actor: UserActor, input: ReorderTaskInput): Promise<ReorderTaskResponse> {
  const { taskId, idempotencyKey, validateOnly, body } = input;
  const current = await deps.taskReader.find(taskId, actor.userId);
  const present = current === undefined || !maySee(actor, current) ? [] : peopleOf([current.task]);
  const known = await deps.people.lookUp(present);
  const execute = validateOnly ? deps.uow.dryRun : deps.uow.run;
  return execute(
    async ({ tasks }) => {
      const now = deps.clock.now();
      const locked = await tasks.getForChange(taskId, actor);
      requireOnTask(actor, locked, { action: 'write', what: 'reorder it' });
      requireOpenProject(locked);
      requireEtag(locked.task, input.etag);
      const writes = await reorder(tasks, locked, input, { actor, now });
      const answer = toTaskAnswer({ task: locked.task, now }, known);
      return writes.length === 0 ? answer : tasks.write(writes, answer);
    },
    once(
      { userId: actor.userId, method: 'ReorderTask', idempotencyKey },
      body,
      ReorderTaskRequest,
      ReorderTaskResponse,
    ),
  );
}

type Tasks = Repositories['tasks'];

/** Whoever gives positions in a project takes turns at its lock, as those do who take numbers. */
async function reorder(
  tasks: Tasks,
  { task }: LockedTask,
  { place }: ReorderTaskInput,
  context: Omit<WriteContext, 'known'>,
): Promise<TaskWrite[]> {
  const { projectId } = task;
  if (projectId === null) throw taskNotInProject(task.id, null);
  const project = (await tasks.lockProjects([projectId], [])).get(projectId);
  if (project === undefined) throw taskNotInProject(task.id, null);

  const look = async (limit: number): Promise<Surroundings> => {
    const found = await tasks.findAround(projectId, { anchorId: place.taskId, exceptId: task.id, limit });
    if (found === undefined) throw taskNotInProject(place.taskId, projectId);
    const { before, anchor, after } = found;
    return {
      inFront: place.side === 'before' ? before : [...before, anchor],
      behind: place.side === 'before' ? [anchor, ...after] : after,
      isWhole: before.length < limit && after.length < limit,
      end: endOf(project.lastNumber),
    };
  };

  const near = await look(1);
  if (standsIn(task, near)) return [];
  const position = positionIn(near);
  const put = position === undefined ? undefined : putOne(task, position, context);
  if (put !== undefined) return [put];
  for (let limit = spreadAtFirst; ; limit *= 8) {
    const spread = spreadIn(task.id, await look(limit));
    if (spread === undefined) continue;
    const others = await tasks.lockAll(spread.map(({ id }) => id).filter((id) => id !== task.id));
    const byId = new Map([task, ...others].map((each) => [each.id, each]));
    return spread.flatMap(({ id, position: place }) => {
      const each = byId.get(id);
      return (each && putOne(each, place, context)) ?? [];
    });
  }
}
