import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { UpdateTaskRequest, UpdateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import type { People } from '../domain/people.ts';
import type { TaskEdit } from '../domain/task.columns.ts';
import { peopleOf, toTaskAnswer } from '../domain/task.messages.ts';
import { needsCheck, updateOne } from '../domain/task-writes.ts';

export interface UpdateTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  edit: TaskEdit;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: UpdateTaskRequest;
}

type Deps = Pick<TasksDeps, 'oneTaskUow' | 'clock' | 'people' | 'taskReader'>;

export async function updateTask(deps: Deps, actor: UserActor, input: UpdateTaskInput): Promise<UpdateTaskResponse> {
  const { taskId, idempotencyKey, validateOnly, body } = input;
  const known = await lookUpPeople(deps, actor, input);

  const execute = validateOnly ? deps.oneTaskUow.dryRun : deps.oneTaskUow.run;
  return execute(
    async ({ tasks }) => {
      const task = await tasks.getForChange(taskId, actor);
      const updated = updateOne(task, input, { actor, known, now: deps.clock.now() });
      return tasks.write([updated], toTaskAnswer(updated, known));
    },
    once({ userId: actor.userId, method: 'UpdateTask', idempotencyKey }, body, UpdateTaskRequest, UpdateTaskResponse),
  );
}

/**
 * Looks up the people that the answer names, before the transaction. Whether the task exists and may be changed is decided
 * later, under its lock, after a repeated request has found its recorded answer.
 */
async function lookUpPeople(
  { people, taskReader }: Deps,
  actor: UserActor,
  { taskId, edit }: UpdateTaskInput,
): Promise<People> {
  const current = await taskReader.find(taskId);
  const ids = current === undefined || !maySee(actor, current) ? [] : peopleOf([current]);
  return people.lookUp([...ids, edit.assigneeId ?? null], { mustCheck: needsCheck(edit, actor) });
}
