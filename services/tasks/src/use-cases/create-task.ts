import { once, type UnitOfWork } from '#libs/db';
import { crashPoint, type UserActor } from '#libs/runtime';
import { CreateTaskRequest, CreateTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import type { LockedProject } from '../domain/locked-task.ts';
import type { OneTaskRepository } from '../domain/task.repository.ts';
import type { TaskDraft } from '../domain/task.columns.ts';
import { toTaskAnswer } from '../domain/task.messages.ts';
import { assigneeOf, createOne, type Assignment } from '../domain/task-writes.ts';
import { lookUpPeople, type LookUpNeeds } from './look-up-people.ts';

export interface CreateTaskInput extends Assignment<TaskDraft> {
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: CreateTaskRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'uow' | 'oneTaskUow' | 'clock'>;

/**
 * A task without a project may share a transaction with others. One in a project takes a number, for which the writers
 * of the project take turns.
 */
export async function createTask(deps: Deps, actor: UserActor, input: CreateTaskInput): Promise<CreateTaskResponse> {
  const { uow, oneTaskUow, clock, newId } = deps;
  const { idempotencyKey, validateOnly, body } = input;
  const { projectId } = input.fields;
  const known = await lookUpPeople(deps, actor, { present: [actor.userId], assignments: [input] });
  const [id, write] = [newId(), { actor, known, now: clock.now() }];
  const request = once(
    { userId: actor.userId, method: 'CreateTask', idempotencyKey },
    body,
    CreateTaskRequest,
    CreateTaskResponse,
  );

  const create = async (tasks: OneTaskRepository, project: LockedProject | undefined): Promise<CreateTaskResponse> => {
    const created = createOne(input, { id, project }, write);
    const written = await tasks.write([created], toTaskAnswer(created, known));
    crashPoint('create.before-commit');
    return written;
  };
  const response =
    projectId === null
      ? await execute(oneTaskUow, validateOnly)(({ tasks }) => create(tasks, undefined), request)
      : await execute(uow, validateOnly)(async ({ tasks }) => {
          const people = [actor.userId, assigneeOf(input, known) ?? actor.userId];
          return create(tasks, (await tasks.lockProjects([projectId], people)).get(projectId));
        }, request);
  crashPoint('create.after-commit');
  return response;
}

const execute = <R>({ run, dryRun }: UnitOfWork<R>, validateOnly: boolean): UnitOfWork<R>['run'] =>
  validateOnly ? dryRun : run;
