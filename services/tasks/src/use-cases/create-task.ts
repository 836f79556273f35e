import { once } from '#libs/db';
import { crashPoint, type UserActor } from '#libs/runtime';
import { CreateTaskRequest, CreateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { TaskDraft } from '../domain/task.columns.ts';
import { toTaskAnswer } from '../domain/task.messages.ts';
import { createOne, needsCheck } from '../domain/task-writes.ts';

export interface CreateTaskInput {
  draft: TaskDraft;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: CreateTaskRequest;
}

type Deps = Pick<TasksDeps, 'oneTaskUow' | 'clock' | 'people' | 'newId'>;

export async function createTask(
  { oneTaskUow, clock, people, newId }: Deps,
  actor: UserActor,
  input: CreateTaskInput,
): Promise<CreateTaskResponse> {
  const { draft, idempotencyKey, validateOnly, body } = input;
  const known = await people.lookUp([actor.userId, draft.assigneeId], { mustCheck: needsCheck(draft, actor) });
  const [id, now] = [newId(), clock.now()];

  const execute = validateOnly ? oneTaskUow.dryRun : oneTaskUow.run;
  const response = await execute(
    async ({ tasks }) => {
      const created = createOne(draft, id, { actor, known, now });
      const written = await tasks.write([created], toTaskAnswer(created, known));
      crashPoint('create.before-commit');
      return written;
    },
    once({ userId: actor.userId, method: 'CreateTask', idempotencyKey }, body, CreateTaskRequest, CreateTaskResponse),
  );
  crashPoint('create.after-commit');
  return response;
}
