import { once } from '#libs/db';
import { AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { BatchCreateTasksRequest, BatchCreateTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { carryOutEach, inputsOf, inTasks, valuesOf, type Member } from '../domain/batch.ts';
import { requireFitting } from '../domain/message-size.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { Task, TaskDraft } from '../domain/task.entity.ts';
import { nameResolutionOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { createOne, needsCheck, type Write, type WrittenTask } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';

export interface BatchCreateTasksInput {
  drafts: Member<TaskDraft>[];
  allowPartial: boolean;
  requestId: string;
  validateOnly: boolean;
  /** What the client asked for, without the fields that do not count. */
  body: BatchCreateTasksRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'newId' | 'toStatus'>;

const maxAttempts = 3;

export async function batchCreateTasks(deps: Deps, actor: UserActor, input: BatchCreateTasksInput): Promise<BatchCreateTasksResponse> {
  const drafts = inputsOf(input.drafts);
  const mustCheck = drafts.some((draft) => needsCheck(draft, actor));
  const known = await deps.people.lookUp([actor.userId, ...drafts.map(({ assigneeId }) => assigneeId)], { mustCheck });
  const write = { actor, known, now: deps.clock.now() };

  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createAll(deps, write, input);
    } catch (error) {
      // Somebody took an external id between the look and the write: another look tells which member's it was.
      const isRace = error instanceof AppError && error.reason === 'EXTERNAL_ID_TAKEN' && error.details.violations === undefined;
      if (!isRace || attempt === maxAttempts) throw error;
    }
  }
}

function createAll({ uow, newId, toStatus }: Deps, write: Write, { drafts, allowPartial, requestId, validateOnly, body }: BatchCreateTasksInput): Promise<BatchCreateTasksResponse> {
  const { actor, known, now } = write;
  const carryOut = validateOnly ? uow.rehearse : uow.run;
  return carryOut(
    async ({ tasks, dues, log }) => {
      const taken = await tasks.findExternalIds(actor.userId, inputsOf(drafts).flatMap(({ externalId }) => externalId ?? []));
      const outcomes = carryOutEach(drafts, { allowPartial, locate: inTasks }, (draft) => {
        if (draft.externalId !== null && taken.has(draft.externalId)) throw externalIdTaken();
        const created = createOne(draft, newId(), write);
        if (draft.externalId !== null) taken.add(draft.externalId);
        return created;
      });
      const created = valuesOf(outcomes);
      for (const task of inLockOrder(created)) {
        tasks.add(task);
        dues.follow([task]);
      }
      const messages = created.map(({ task }) => toTaskMessage(task, now));
      requireFitting(messages);
      await log.record(created.map(({ change }) => change));
      return {
        results: toResults(outcomes, ({ task }) => withNames(toTaskMessage(task, now), known), toStatus),
        nameResolution: nameResolutionOf(messages, known),
      };
    },
    once({ userId: actor.userId, method: 'BatchCreateTasks', requestId }, body, BatchCreateTasksRequest, BatchCreateTasksResponse),
  );
}

/** Parallel batches with the same external ids wait for each other in the unique index: in one order, not in a circle. */
function inLockOrder(created: readonly WrittenTask[]): Task[] {
  const keyOf = ({ externalId }: Task): string => externalId ?? '';
  return created.map(({ task }) => task).sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}
