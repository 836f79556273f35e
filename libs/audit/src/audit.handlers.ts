import { z } from 'zod';
import {
  AuditActorKind,
  AuditOutcome,
  AuditServiceService,
  AuditTargetKind,
  type AuditEvent,
  type ListAuditEventsRequest,
  type ListOwnAuditEventsRequest,
} from '#contract/audit/v1/audit';
import type { JsonValue, PageTokens } from '#libs/db';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { bind, requireUser, type ServiceBinding } from '#libs/grpc';
import type { AuditLog } from './audit-log.ts';
import { listAuditEvents, type AuditFilters, type StoredEvent } from './list-events.ts';

const fields = fieldsOf('taskflow.audit.v1.ListAuditEventsRequest');
const page = { pageSize: fields.pageSize(), pageToken: fields.pageToken() };
/** Empty: any. */
const given = (type: z.ZodType<string, string>) => type.transform((text) => (text === '' ? undefined : text));
const outcomes = {
  [AuditOutcome.UNSPECIFIED]: undefined,
  [AuditOutcome.DONE]: 'done',
  [AuditOutcome.REFUSED]: 'refused',
} as const;
const listSchema = z.object({
  ...page,
  action: given(fields.text('action')),
  outcome: z
    .literal([AuditOutcome.UNSPECIFIED, AuditOutcome.DONE, AuditOutcome.REFUSED], 'must be DONE or REFUSED')
    .transform((value) => outcomes[value]),
  actorId: given(fields.text('actor_id')),
  targetId: given(fields.text('target_id')),
  accountId: given(z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty')),
  startTime: z.date().optional(),
  endTime: z.date().optional(),
});
const listOwnSchema = z.object(page);

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** The audit log of this service, for administrators and for each person's own part. */
export function bindAudit(log: Pick<AuditLog, 'settle' | 'reader'>, pageTokens: PageTokens): ServiceBinding {
  const list = async (
    { pageSize, pageToken }: PageRequest,
    filters: AuditFilters,
    asked: { caller: string; method: string },
  ) => {
    const scope = { ...asked, filter: JSON.parse(JSON.stringify(filters)) as JsonValue };
    const before = pageTokens.open<string>(pageToken, scope);
    await log.settle();
    // One event more than the page shows whether another page follows.
    const found = await listAuditEvents(
      log.reader,
      filters,
      before === undefined ? undefined : BigInt(before),
      pageSize + 1,
    );
    const last = found.length > pageSize ? found[pageSize - 1] : undefined;
    return {
      events: found.slice(0, pageSize).map(toAuditEventMessage),
      nextPageToken: last === undefined ? '' : pageTokens.seal(last.position.toString(), scope),
    };
  };
  return bind(AuditServiceService, {
    listAuditEvents: async (request: ListAuditEventsRequest, call) => {
      const { pageSize, pageToken, ...filters } = parseRequest(listSchema, request);
      const caller = requireUser(call).userId;
      return list({ pageSize, pageToken }, filters, { caller, method: 'ListAuditEvents' });
    },
    listOwnAuditEvents: async (request: ListOwnAuditEventsRequest, call) => {
      const caller = requireUser(call).userId;
      const filters = { accountId: caller };
      return list(parseRequest(listOwnSchema, request), filters, { caller, method: 'ListOwnAuditEvents' });
    },
  });
}

const actorKinds = {
  user: AuditActorKind.USER,
  anonymous: AuditActorKind.ANONYMOUS,
  service: AuditActorKind.SERVICE,
  operator: AuditActorKind.OPERATOR,
} as const;

const targetKinds: Record<StoredEvent['targetKind'], AuditTargetKind> = {
  '': AuditTargetKind.UNSPECIFIED,
  account: AuditTargetKind.ACCOUNT,
  session: AuditTargetKind.SESSION,
  invitation: AuditTargetKind.INVITATION,
  personal_token: AuditTargetKind.PERSONAL_TOKEN,
  signing_key: AuditTargetKind.SIGNING_KEY,
  schedule: AuditTargetKind.SCHEDULE,
  queue: AuditTargetKind.QUEUE,
  dead_job: AuditTargetKind.DEAD_JOB,
  dead_letter_event: AuditTargetKind.DEAD_LETTER_EVENT,
  breaker: AuditTargetKind.BREAKER,
  partition: AuditTargetKind.PARTITION,
};

export function toAuditEventMessage(event: StoredEvent): AuditEvent {
  const { outcome, actorKind, targetKind, position, accountId, details, ...same } = event;
  return {
    ...same,
    sequence: position,
    targetKind: targetKinds[targetKind],
    outcome: outcome === 'done' ? AuditOutcome.DONE : AuditOutcome.REFUSED,
    actorKind: actorKinds[actorKind],
    accountId: accountId ?? '',
    details: Object.entries(details)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value })),
  };
}
