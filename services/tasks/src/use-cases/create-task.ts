import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { CreateTaskRequest, CreateTaskResponse, TaskEventType } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { Task, type TaskDraft } from '../domain/task.entity.ts';
import { nothing, toChange } from '../domain/task.events.ts';
import { nameResolutionOf, toTaskMessage, withNames } from '../domain/task.messages.ts';

export interface CreateTaskInput {
  draft: TaskDraft;
  requestId: string;
  /** What the client asked for, without the fields that do not count. */
  body: CreateTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'newId'>;

export async function createTask({ uow, clock, people, newId }: Deps, actor: UserActor, input: CreateTaskInput): Promise<CreateTaskResponse> {
  const { draft, requestId, body } = input;
  const mustCheck = draft.assigneeId !== null && draft.assigneeId !== actor.userId;
  const known = await people.lookUp([actor.userId, draft.assigneeId], { mustCheck });
  const origin = { id: newId(), ownerId: actor.userId, now: clock.now() };

  return uow.run(
    async ({ tasks, dues, log }) => {
      if (mustCheck && draft.assigneeId !== null) known.requireEnabled(draft.assigneeId);
      const task = Task.create(draft, origin);
      tasks.add(task);
      dues.add(task, origin.now);
      await log.record(toChange(TaskEventType.CREATED, task, { before: nothing, actorId: actor.userId, now: origin.now }));
      const message = toTaskMessage(task, origin.now);
      return { task: withNames(message, known), nameResolution: nameResolutionOf([message], known) };
    },
    once({ userId: actor.userId, method: 'CreateTask', requestId }, body, CreateTaskRequest, CreateTaskResponse),
  );
}
