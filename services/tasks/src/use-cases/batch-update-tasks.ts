import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { BatchUpdateTasksRequest, BatchUpdateTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { executeEach, inputsOf, inRequests, valuesOf, type Member } from '../domain/batch.ts';
import { requireFitting } from '../domain/message-size.ts';
import type { People } from '../domain/people.ts';
import { maySee } from '../domain/task-access.ts';
import type { TaskEdit } from '../domain/task.columns.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { nameResolutionOf, peopleOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { assigneeOf, updateOne, type Assignment } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';
import { lookUpPeople, type LookUpNeeds } from './look-up-people.ts';

interface TaskUpdate extends Assignment<TaskEdit> {
  taskId: string;
  /** '' = any version. */
  etag: string;
}

export interface BatchUpdateTasksInput {
  /** Of different tasks. */
  updates: Member<TaskUpdate>[];
  allowPartial: boolean;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: BatchUpdateTasksRequest;
}

type Deps = LookUpNeeds & Pick<TasksDeps, 'uow' | 'clock' | 'toStatus'>;

export async function batchUpdateTasks(
  deps: Deps,
  actor: UserActor,
  input: BatchUpdateTasksInput,
): Promise<BatchUpdateTasksResponse> {
  const { updates, allowPartial, idempotencyKey, validateOnly, body } = input;
  const known = await lookUpPeopleOf(deps, actor, inputsOf(updates));

  const execute = validateOnly ? deps.uow.dryRun : deps.uow.run;
  return execute(
    async ({ tasks }) => {
      const now = deps.clock.now();
      const found = await tasks.findForChange(
        inputsOf(updates).map((update) => ({ taskId: update.taskId, assigneeId: assigneeOf(update, known) })),
        actor,
      );
      const outcomes = executeEach(updates, { allowPartial, locate: inRequests }, (update) => {
        const locked = found.get(update.taskId);
        if (locked === undefined) throw taskNotFound(update.taskId);
        return updateOne(locked, update, { actor, known, now });
      });
      const written = valuesOf(outcomes);
      const messages = written.map(({ task }) => toTaskMessage(task, now));
      requireFitting(messages);
      return tasks.write(written, {
        results: toResults(outcomes, ({ task }) => withNames(toTaskMessage(task, now), known), deps.toStatus),
        nameResolution: nameResolutionOf(messages, known),
      });
    },
    once(
      { userId: actor.userId, method: 'BatchUpdateTasks', idempotencyKey },
      body,
      BatchUpdateTasksRequest,
      BatchUpdateTasksResponse,
    ),
  );
}

/** Looks up the people that the answer names and the new assignees, before the transaction. */
async function lookUpPeopleOf(deps: Deps, actor: UserActor, updates: TaskUpdate[]): Promise<People> {
  const taskIds = updates.map(({ taskId }) => taskId);
  const current = await deps.taskReader.findMany(taskIds, actor.userId);
  const present = peopleOf(current.filter((each) => maySee(actor, each)).map(({ task }) => task));
  return lookUpPeople(deps, actor, { present, assignments: updates });
}
