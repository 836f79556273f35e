import { RetryDeadLetterEventRequest, RetryDeadLetterEventResponse } from '#contract/scheduler/v1/jobs';
import { TaskEvent } from '#contract/tasks/v1/tasks';
import { errorTable, toAppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../../deps.ts';
import { eventNotHandled, deadLetterEventNotFound } from '../../domain/jobs/job.errors.ts';
import { taskEventsCursor } from '../../domain/events/task-events-cursor.ts';
import { ingestEvents } from './ingest-events.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('RetryDeadLetterEvent', RetryDeadLetterEventRequest, RetryDeadLetterEventResponse);

type Deps = Pick<
  SchedulerDeps,
  'uow' | 'newId' | 'clock' | 'retention' | 'logger' | 'queue' | 'claimedJobs' | 'notifyDispatcher'
>;

/** Handles the event in the transaction that removes its dead letter. Whether it is stale is decided at its delivery. */
export async function retryDeadLetterEvent(
  deps: Deps,
  actor: UserActor,
  request: RetryDeadLetterEventRequest,
): Promise<RetryDeadLetterEventResponse> {
  const { eventId, validateOnly } = request;
  const response = await change(
    deps,
    actor,
    changeOf(request, { kind: 'dead_letter_event', id: String(eventId) }),
    async (repositories) => {
      const bytes = await repositories.cursor.takeDeadLetter(taskEventsCursor, eventId);
      if (bytes === undefined) throw deadLetterEventNotFound(eventId);
      await handle(deps, repositories, { bytes, eventId });
      return {};
    },
  );
  if (!validateOnly) deps.notifyDispatcher();
  return response;
}

async function handle(
  deps: Deps,
  repositories: Repositories,
  { bytes, eventId }: { bytes: Uint8Array; eventId: bigint },
): Promise<void> {
  try {
    await ingestEvents(deps, [TaskEvent.decode(bytes)], repositories);
  } catch (error) {
    // An outage is no fault of the event.
    throw errorTable[toAppError(error).kind].retryable ? error : eventNotHandled(eventId, error);
  }
}
