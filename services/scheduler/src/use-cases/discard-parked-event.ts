import { DiscardParkedEventRequest, DiscardParkedEventResponse } from '#contract/scheduler/v1/jobs';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { parkedEventNotFound } from '../domain/job.errors.ts';
import { taskEventsCursor } from '../domain/parked-event.ts';
import { recordAction } from './record-action.ts';
import type { ParkedEventInput } from './retry-parked-event.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger'>;

export async function discardParkedEvent(deps: Deps, actor: UserActor, { eventId, requestId }: ParkedEventInput): Promise<DiscardParkedEventResponse> {
  return deps.uow.run(
    async ({ cursor, adminActions }) => {
      if ((await cursor.unpark(taskEventsCursor, eventId)) === undefined) throw parkedEventNotFound(eventId);
      await recordAction(deps, adminActions, actor, { action: 'DiscardParkedEvent', subject: String(eventId) });
      return {};
    },
    once({ userId: actor.userId, method: 'DiscardParkedEvent', requestId }, { eventId, requestId: '' }, DiscardParkedEventRequest, DiscardParkedEventResponse),
  );
}
