import { z } from 'zod';
import type {
  FindReaderPositionRequest,
  InternalReadersServiceService,
  PullReaderEventsRequest,
} from '#contract/tasks/v1/readers';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import type { Handlers } from '#libs/grpc';
import type { TasksDeps } from '../deps.ts';
import {
  findReaderPosition,
  pullReaderEvents,
  type FindReaderPositionInput,
  type PullReaderEventsInput,
} from '../use-cases/pull-reader-events.ts';

export function internalReadersHandlers(deps: TasksDeps): Handlers<typeof InternalReadersServiceService> {
  return {
    findReaderPosition: async (request) => findReaderPosition(deps, readFindReaderPosition(request)),
    pullReaderEvents: async (request) => pullReaderEvents(deps, readPullReaderEvents(request)),
  };
}

const position = z.object({ incarnation: z.bigint(), transactionId: z.bigint(), eventId: z.bigint() }, 'must be set');
const reader = {
  userId: fieldTypes.uuid(),
  projectId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty'),
};
const findSchema = z.object({
  ...reader,
  start: z
    .union([
      z.object({ $case: z.literal('event'), value: position }),
      z.object({ $case: z.literal('startTime'), value: z.date() }),
    ])
    .optional(),
});

function readFindReaderPosition(request: FindReaderPositionRequest): FindReaderPositionInput {
  const { start, ...reader } = parseRequest(findSchema, request);
  if (start === undefined) return { reader, start };
  return { reader, start: start.$case === 'event' ? { event: start.value } : { time: start.value } };
}

const pullSchema = z.object({
  ...reader,
  after: position,
  pageSize: fieldsOf('taskflow.tasks.v1.PullReaderEventsRequest').number('page_size'),
});

function readPullReaderEvents(request: PullReaderEventsRequest): PullReaderEventsInput {
  const { after, pageSize, ...reader } = parseRequest(pullSchema, request);
  return { reader, after, limit: pageSize };
}
