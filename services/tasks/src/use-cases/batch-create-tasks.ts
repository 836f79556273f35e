import { once } from '#libs/db';
import { AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { BatchCreateTasksRequest, BatchCreateTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { executeEach, inputsOf, inRequests, valuesOf, type Member } from '../domain/batch.ts';
import type { LockedProject } from '../domain/locked-task.ts';
import { requireFitting } from '../domain/message-size.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import type { TaskDraft } from '../domain/task.columns.ts';
import { nameResolutionOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { assigneeOf, createOne, type Assignment, type WriteContext } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';
import { lookUpPeople, type LookUpNeeds } from './look-up-people.ts';

export interface BatchCreateTasksInput {
  creations: Member<Assignment<TaskDraft>>[];
  allowPartial: boolean;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: BatchCreateTasksRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'uow' | 'clock' | 'toStatus'>;

const maxAttempts = 3;

export async function batchCreateTasks(
  deps: Deps,
  actor: UserActor,
  input: BatchCreateTasksInput,
): Promise<BatchCreateTasksResponse> {
  const assignments = inputsOf(input.creations);
  const known = await lookUpPeople(deps, actor, { present: [actor.userId], assignments });
  const write = { actor, known, now: deps.clock.now() };

  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createAll(deps, write, input);
    } catch (error) {
      // Another call took an external id after this one had checked: the next attempt finds out which member has it.
      const isRace =
        error instanceof AppError && error.reason === 'EXTERNAL_ID_TAKEN' && error.details.violations === undefined;
      if (!isRace || attempt === maxAttempts) throw error;
    }
  }
}

function createAll(
  { uow, newId, toStatus }: Deps,
  write: WriteContext,
  { creations, allowPartial, idempotencyKey, validateOnly, body }: BatchCreateTasksInput,
): Promise<BatchCreateTasksResponse> {
  const { actor, known, now } = write;
  const execute = validateOnly ? uow.dryRun : uow.run;
  return execute(
    async ({ tasks }) => {
      const taken = await tasks.findExternalIds(
        actor.userId,
        inputsOf(creations).flatMap(({ fields }) => fields.externalId ?? []),
      );
      const projects = await lockProjectsOf(tasks, inputsOf(creations), write);
      const outcomes = executeEach(creations, { allowPartial, locate: inRequests }, (creation) => {
        const { externalId, projectId } = creation.fields;
        if (externalId !== null && taken.has(externalId)) throw externalIdTaken();
        const created = createOne(creation, { id: newId(), project: projects.get(projectId ?? '') }, write);
        if (externalId !== null) taken.add(externalId);
        return created;
      });
      const created = valuesOf(outcomes);
      const messages = created.map(({ task }) => toTaskMessage(task, now));
      requireFitting(messages);
      return tasks.write(created, {
        results: toResults(outcomes, ({ task }) => withNames(toTaskMessage(task, now), known), toStatus),
        nameResolution: nameResolutionOf(messages, known),
      });
    },
    once(
      { userId: actor.userId, method: 'BatchCreateTasks', idempotencyKey },
      body,
      BatchCreateTasksRequest,
      BatchCreateTasksResponse,
    ),
  );
}

/** The projects that tasks are to come into, each locked once. */
function lockProjectsOf(
  tasks: TaskRepository,
  creations: readonly Assignment<TaskDraft>[],
  { actor, known }: WriteContext,
): Promise<ReadonlyMap<string, LockedProject>> {
  const projectIds = new Set(creations.flatMap(({ fields }) => fields.projectId ?? []));
  const people = new Set(creations.flatMap((creation) => assigneeOf(creation, known) ?? []));
  return tasks.lockProjects([...projectIds], [...people.add(actor.userId)]);
}
