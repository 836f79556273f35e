import { once } from '#libs/db';
import { AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { BatchCreateTasksRequest, BatchCreateTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { executeEach, inputsOf, inRequests, valuesOf, type Member } from '../domain/batch.ts';
import { requireFitting } from '../domain/message-size.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { TaskDraft } from '../domain/task.columns.ts';
import { nameResolutionOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { createOne, needsCheck, type WriteContext } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';

export interface BatchCreateTasksInput {
  drafts: Member<TaskDraft>[];
  allowPartial: boolean;
  idempotencyKey: string;
  validateOnly: boolean;
  /** The request without fields that are ignored. */
  body: BatchCreateTasksRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'newId' | 'toStatus'>;

const maxAttempts = 3;

export async function batchCreateTasks(
  deps: Deps,
  actor: UserActor,
  input: BatchCreateTasksInput,
): Promise<BatchCreateTasksResponse> {
  const drafts = inputsOf(input.drafts);
  const mustCheck = drafts.some((draft) => needsCheck(draft, actor));
  const known = await deps.people.lookUp([actor.userId, ...drafts.map(({ assigneeId }) => assigneeId)], { mustCheck });
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
  { drafts, allowPartial, idempotencyKey, validateOnly, body }: BatchCreateTasksInput,
): Promise<BatchCreateTasksResponse> {
  const { actor, known, now } = write;
  const execute = validateOnly ? uow.dryRun : uow.run;
  return execute(
    async ({ tasks }) => {
      const taken = await tasks.findExternalIds(
        actor.userId,
        inputsOf(drafts).flatMap(({ externalId }) => externalId ?? []),
      );
      const outcomes = executeEach(drafts, { allowPartial, locate: inRequests }, (draft) => {
        if (draft.externalId !== null && taken.has(draft.externalId)) throw externalIdTaken();
        const created = createOne(draft, newId(), write);
        if (draft.externalId !== null) taken.add(draft.externalId);
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
