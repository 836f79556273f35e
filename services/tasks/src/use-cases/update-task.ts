import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { UpdateTaskRequest, UpdateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import type { People } from '../domain/people.ts';
import type { TaskEdit } from '../domain/task.entity.ts';
import { nameResolutionOf, peopleOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { affectsDueRow, needsCheck, updateOne } from '../domain/task-writes.ts';

export interface UpdateTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  edit: TaskEdit;
  requestId: string;
  validateOnly: boolean;
  /** What the client asked for, without the fields that do not count. */
  body: UpdateTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'taskReader'>;

export async function updateTask(deps: Deps, actor: UserActor, input: UpdateTaskInput): Promise<UpdateTaskResponse> {
  const { taskId, edit, requestId, validateOnly, body } = input;
  const known = await lookUpPeople(deps, actor, input);

  const carryOut = validateOnly ? deps.uow.rehearse : deps.uow.run;
  return carryOut(
    async ({ tasks, dues, log }) => {
      const now = deps.clock.now();
      const task = await tasks.getForChange(taskId, actor);
      const { change } = updateOne(task, input, { actor, known, now });
      if (affectsDueRow(edit)) dues.follow([task]);
      await log.record([change]);
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
