import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { TaskEventType, UpdateTaskRequest, UpdateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import type { People } from '../domain/people.ts';
import type { Task, TaskEdit } from '../domain/task.entity.ts';
import { etagMismatch, notOwner } from '../domain/task.errors.ts';
import { snapshotOf, toChange } from '../domain/task.events.ts';
import { nameResolutionOf, peopleOf, toTaskMessage, withNames } from '../domain/task.messages.ts';

export interface UpdateTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  edit: TaskEdit;
  requestId: string;
  /** What the client asked for, without the fields that do not count. */
  body: UpdateTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'taskReader'>;

export async function updateTask(deps: Deps, actor: UserActor, input: UpdateTaskInput): Promise<UpdateTaskResponse> {
  const { taskId, edit, requestId, body } = input;
  const known = await lookUpPeople(deps, actor, input);

  return deps.uow.run(
    async ({ tasks, dues, log }) => {
      const now = deps.clock.now();
      const task = await tasks.getForChange(taskId, actor);
      checkChange(task, actor, input, known);
      const before = snapshotOf(task, now);
      task.edit(edit, now);
      if (affectsDueRow(edit)) await dues.follow(task, now);
      await log.record(toChange(TaskEventType.UPDATED, task, { before, actorId: actor.userId, now }));
      const message = toTaskMessage(task, now);
      return { task: withNames(message, known), nameResolution: nameResolutionOf([message], known) };
    },
    once({ userId: actor.userId, method: 'UpdateTask', requestId }, body, UpdateTaskRequest, UpdateTaskResponse),
  );
}

/**
 * Asks for everybody whom the answer will name, before the transaction. The task is only glanced at here: whether it
 * exists and may be changed is decided under its lock, after a repeated request has found its recorded answer.
 */
async function lookUpPeople({ people, taskReader }: Deps, actor: UserActor, { taskId, edit }: UpdateTaskInput): Promise<People> {
  const current = await taskReader.find(taskId);
  const ids = current === undefined || !maySee(actor, current) ? [] : peopleOf([current]);
  return people.lookUp([...ids, edit.assigneeId ?? null], { mustCheck: needsCheck(edit, actor) });
}

function needsCheck({ assigneeId }: TaskEdit, actor: UserActor): boolean {
  return assigneeId !== undefined && assigneeId !== null && assigneeId !== actor.userId;
}

function checkChange(task: Task, actor: UserActor, { edit, etag }: UpdateTaskInput, known: People): void {
  const onlyStatus = Object.keys(edit).every((field) => field === 'status');
  if (!onlyStatus && !task.isOwnedBy(actor)) throw notOwner('change anything but the status');
  if (etag !== '' && !task.hasEtag(etag)) throw etagMismatch(task.id);
  if (needsCheck(edit, actor) && edit.assigneeId) known.requireEnabled(edit.assigneeId);
}

function affectsDueRow(edit: TaskEdit): boolean {
  return edit.status !== undefined || edit.dueTime !== undefined || edit.assigneeId !== undefined;
}
