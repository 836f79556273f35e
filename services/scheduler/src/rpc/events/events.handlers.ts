import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { discardDeadLetterEvent } from '../../use-cases/events/discard-dead-letter-event.ts';
import { explainOverdue } from '../../use-cases/events/explain-overdue.ts';
import { listDeadLetterEvents } from '../../use-cases/events/list-dead-letter-events.ts';
import { retryDeadLetterEvent } from '../../use-cases/events/retry-dead-letter-event.ts';
import { mutation, page } from '../fields.ts';

export function eventsHandlers(deps: SchedulerDeps) {
  return {
    listDeadLetterEvents: async (request, call) =>
      listDeadLetterEvents(deps, requireUser(call), parseRequest(listSchema, request)),
    retryDeadLetterEvent: async (request, call) =>
      retryDeadLetterEvent(deps, requireUser(call), parseRequest(eventSchema, request)),
    discardDeadLetterEvent: async (request, call) =>
      discardDeadLetterEvent(deps, requireUser(call), parseRequest(eventSchema, request)),
    explainOverdue: async (request) => explainOverdue(deps, parseRequest(explainSchema, request).taskId),
  } satisfies Partial<Handlers<typeof SchedulerServiceService>>;
}

const listSchema = z.object(page('ListDeadLetterEventsRequest'));
const retry = fieldsOf('taskflow.scheduler.v1.RetryDeadLetterEventRequest');
const eventSchema = z.object({ eventId: retry.bigint('event_id'), ...mutation });
const explainSchema = z.object({ taskId: fieldTypes.uuid() });
