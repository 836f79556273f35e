import { once } from '#libs/db';
import { crashPoint, type UserActor } from '#libs/runtime';
import { CreateTaskRequest, CreateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { TaskDraft } from '../domain/task.columns.ts';
import { toTaskAnswer } from '../domain/task.messages.ts';
import { createOne, type Assignment } from '../domain/task-writes.ts';
import { lookUpPeople, type LookUpNeeds } from './look-up-people.ts';

export interface CreateTaskInput extends Assignment<TaskDraft> {
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: CreateTaskRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'oneTaskUow' | 'clock'>;

export async function createTask(deps: Deps, actor: UserActor, input: CreateTaskInput): Promise<CreateTaskResponse> {
  const { oneTaskUow, clock, newId } = deps;
  const { idempotencyKey, validateOnly, body } = input;
  const known = await lookUpPeople(deps, actor, { present: [actor.userId], assignments: [input] });
  const [id, now] = [newId(), clock.now()];

  const execute = validateOnly ? oneTaskUow.dryRun : oneTaskUow.run;
  const response = await execute(
    async ({ tasks }) => {
      const created = createOne(input, id, { actor, known, now });
      const written = await tasks.write([created], toTaskAnswer(created, known));
      crashPoint('create.before-commit');
      return written;
    },
    once({ userId: actor.userId, method: 'CreateTask', idempotencyKey }, body, CreateTaskRequest, CreateTaskResponse),
  );
  crashPoint('create.after-commit');
  return response;
}
