import { DiscardDeadLetterEventRequest, DiscardDeadLetterEventResponse } from '#contract/scheduler/v1/jobs';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { taskEventsCursor } from '../../domain/events/task-events-cursor.ts';
import { deadLetterEventNotFound } from '../../domain/jobs/job.errors.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('DiscardDeadLetterEvent', DiscardDeadLetterEventRequest, DiscardDeadLetterEventResponse);

type Deps = Pick<SchedulerDeps, 'uow'>;

export async function discardDeadLetterEvent(
  deps: Deps,
  actor: UserActor,
  request: DiscardDeadLetterEventRequest,
): Promise<DiscardDeadLetterEventResponse> {
  const { eventId } = request;
  return change(
    deps,
    actor,
    changeOf(request, { kind: 'dead_letter_event', id: String(eventId) }),
    async ({ cursor }) => {
      if ((await cursor.takeDeadLetter(taskEventsCursor, eventId)) === undefined)
        throw deadLetterEventNotFound(eventId);
      return {};
    },
  );
}
