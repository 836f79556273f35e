import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { MoveTaskRequest, MoveTaskResponse } from '#contract/tasks/v1/tasks';
import type { Repositories, TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import { moveOne } from '../domain/task-move.ts';
import { peopleOf, toTaskAnswer } from '../domain/task.messages.ts';

export interface MoveTaskInput {
  taskId: string;
  /** Null: out of its project. */
  projectId: string | null;
  /** '' = any version. */
  etag: string;
  idempotencyKey: string;
  validateOnly: boolean;
  body: MoveTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'taskReader'>;

/**
 * The task is locked before anything is written, as by changes of comments: so no earlier change of it stands behind the
 * move in feeds, where transaction ids count, and shows the task to those whom it has left.
 */
export async function moveTask(deps: Deps, actor: UserActor, input: MoveTaskInput): Promise<MoveTaskResponse> {
  const { taskId, idempotencyKey, validateOnly, body } = input;
  const current = await deps.taskReader.find(taskId, actor.userId);
  const present = current === undefined || !maySee(actor, current) ? [] : peopleOf([current.task]);
  const known = await deps.people.lookUp([actor.userId, ...present]);

  const work = async ({ tasks }: Repositories): Promise<MoveTaskResponse> => {
    const locked = await tasks.getForChange(taskId, actor);
    const { task } = locked;
    const sides = [task.projectId, input.projectId].filter((id) => id !== null);
    const people = [actor.userId, task.ownerId, task.assigneeId ?? actor.userId];
    const projects = await tasks.lockProjects(sides, people);
    const now = deps.clock.now();
    const moved = moveOne(locked, { ...input, projects }, { actor, now });
    const answer = toTaskAnswer({ task, now }, known);
    return moved === undefined ? answer : tasks.write([moved], answer);
  };
  const recorded = once(
    { userId: actor.userId, method: 'MoveTask', idempotencyKey },
    body,
    MoveTaskRequest,
    MoveTaskResponse,
  );
  if (validateOnly) return deps.uow.dryRun(work, recorded);
  return deps.uow.run(work, recorded, ({ tasks }) => tasks.findForChange([{ taskId, assigneeId: null }], actor));
}
