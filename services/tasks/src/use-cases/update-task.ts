import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { UpdateTaskRequest, UpdateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import type { People } from '../domain/people.ts';
import type { TaskEdit } from '../domain/task.columns.ts';
import { peopleOf, toTaskAnswer } from '../domain/task.messages.ts';
import { assigneeOf, updateOne, type Assignment } from '../domain/task-writes.ts';
import { lookUpPeople, type LookUpNeeds } from './look-up-people.ts';

export interface UpdateTaskInput extends Assignment<TaskEdit> {
  taskId: string;
  /** '' = any version. */
  etag: string;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: UpdateTaskRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'oneTaskUow' | 'clock'>;

export async function updateTask(deps: Deps, actor: UserActor, input: UpdateTaskInput): Promise<UpdateTaskResponse> {
  const { taskId, idempotencyKey, validateOnly, body } = input;
  const known = await lookUpPeopleOf(deps, actor, input);

  const execute = validateOnly ? deps.oneTaskUow.dryRun : deps.oneTaskUow.run;
  return execute(
    async ({ tasks }) => {
      const locked = await tasks.getForChange(taskId, actor, assigneeOf(input, known));
      const updated = updateOne(locked, input, { actor, known, now: deps.clock.now() });
      return tasks.write([updated], toTaskAnswer(updated, known));
    },
    once({ userId: actor.userId, method: 'UpdateTask', idempotencyKey }, body, UpdateTaskRequest, UpdateTaskResponse),
  );
}

/**
 * Looks up the people that the answer names, before the transaction. Whether the task exists and may be changed is decided
 * later, under its lock, after a repeated request has found its recorded answer.
 */
async function lookUpPeopleOf(deps: Deps, actor: UserActor, input: UpdateTaskInput): Promise<People> {
  const current = await deps.taskReader.find(input.taskId, actor.userId);
  const present = current === undefined || !maySee(actor, current) ? [] : peopleOf([current.task]);
  return lookUpPeople(deps, actor, { present, assignments: [input] });
}
