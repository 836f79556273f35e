import { RetryParkedEventRequest, RetryParkedEventResponse } from '#contract/scheduler/v1/jobs';
import { TaskEvent } from '#contract/tasks/v1/tasks';
import { once } from '#libs/db';
import { errorTable, toAppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../deps.ts';
import { eventNotHandled, parkedEventNotFound } from '../domain/job.errors.ts';
import { taskEventsCursor } from '../domain/parked-event.ts';
import { ingestEvents } from './ingest-events.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'clock' | 'retention' | 'logger' | 'queue' | 'claimedJobs' | 'wakeDispatch'>;

export interface ParkedEventInput {
  eventId: bigint;
  requestId: string;
}

/** Handles the event late, in the transaction that takes it out of the parked ones. Staleness is judged at delivery, as always. */
export async function retryParkedEvent(deps: Deps, actor: UserActor, { eventId, requestId }: ParkedEventInput): Promise<RetryParkedEventResponse> {
  const response = await deps.uow.run(
    async (repositories) => {
      const bytes = await repositories.cursor.unpark(taskEventsCursor, eventId);
      if (bytes === undefined) throw parkedEventNotFound(eventId);
      await handle(deps, repositories, { bytes, eventId });
      await recordAction(deps, repositories.adminActions, actor, { action: 'RetryParkedEvent', subject: String(eventId) });
      return {};
    },
    once({ userId: actor.userId, method: 'RetryParkedEvent', requestId }, { eventId, requestId: '' }, RetryParkedEventRequest, RetryParkedEventResponse),
  );
  deps.wakeDispatch();
  return response;
}

async function handle(deps: Deps, repositories: Repositories, { bytes, eventId }: { bytes: Uint8Array; eventId: bigint }): Promise<void> {
  try {
    await ingestEvents(deps, [TaskEvent.decode(bytes)], repositories);
  } catch (error) {
    // An outage says nothing about the event.
    throw errorTable[toAppError(error).kind].retryable ? error : eventNotHandled(eventId, error);
  }
}
