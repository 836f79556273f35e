import { once } from '#libs/db';
import { crashPoint, type UserActor } from '#libs/runtime';
import { CreateTaskRequest, CreateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { TaskDraft } from '../domain/task.entity.ts';
import { nameResolutionOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { createOne, needsCheck } from '../domain/task-writes.ts';

export interface CreateTaskInput {
  draft: TaskDraft;
  requestId: string;
  validateOnly: boolean;
  /** What the client asked for, without the fields that do not count. */
  body: CreateTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'newId'>;

export async function createTask({ uow, clock, people, newId }: Deps, actor: UserActor, input: CreateTaskInput): Promise<CreateTaskResponse> {
  const { draft, requestId, validateOnly, body } = input;
  const known = await people.lookUp([actor.userId, draft.assigneeId], { mustCheck: needsCheck(draft, actor) });
  const [id, now] = [newId(), clock.now()];

  const carryOut = validateOnly ? uow.rehearse : uow.run;
  const response = await carryOut(
    async ({ tasks, dues, log }) => {
      const { task, change } = createOne(draft, id, { actor, known, now });
      tasks.add(task);
      dues.follow([task]);
      await log.record([change]);
      const message = toTaskMessage(task, now);
      crashPoint('create.before-commit');
      return { task: withNames(message, known), nameResolution: nameResolutionOf([message], known) };
    },
    once({ userId: actor.userId, method: 'CreateTask', requestId }, body, CreateTaskRequest, CreateTaskResponse),
  );
  crashPoint('create.after-commit');
  return response;
}
