import { ScalarType, type DescField, type DescMessage, type DescMethod } from '@bufbuild/protobuf';
import type { MethodPolicy } from '../../src/policy.ts';
import { fileRegistry } from '../../src/descriptors.ts';
import { behavior, behaviorsIn } from '../field-behavior.ts';

const ports: Readonly<Record<string, number>> = {
  auth: 50051,
  users: 50052,
  tasks: 50053,
  scheduler: 50054,
  server: 50053,
  resilience: 50053,
  audit: 50051,
  export: 50053,
};

const wellKnown: Readonly<Record<string, unknown>> = {
  'google.protobuf.Timestamp': '2030-01-01T09:00:00Z',
  'google.protobuf.Duration': '3600s',
};

const everyMorning = { expression: '<expression>', time_zone: 'Europe/Berlin' };

/**
 * Requests whose fields do not show what one would send, such as an id inside the resource or a few of many filters.
 */
const written: Readonly<Record<string, unknown>> = {
  UpdateUserRequest: { user: { id: '<id>', display_name: '<display_name>' }, update_mask: 'displayName' },
  DeleteAccountRequest: { account_id: '<account_id>' },
  UpdateTaskRequest: { task: { id: '<id>', title: '<title>' }, update_mask: 'title' },
  BatchUpdateTasksRequest: { requests: [{ task: { id: '<id>', title: '<title>' }, update_mask: 'title' }] },
  ListTasksRequest: { page_size: 50, statuses: ['TASK_STATUS_PENDING'], order_by: 'due_time, priority desc' },
  AddCommentRequest: { task_id: '<task_id>', text: '<text>' },
  EditCommentRequest: { comment_id: '<comment_id>', text: '<text>' },
  BatchCheckReadersRequest: { checks: [{ task_id: '<task_id>', user_id: '<user_id>' }] },
  FindReaderPositionRequest: { user_id: '<user_id>' },
  PullReaderEventsRequest: { user_id: '<user_id>', after: { event_id: '<event_id>' }, page_size: 50 },
  CreateProjectRequest: { project: { key: '<key>', name: '<name>' } },
  UpdateProjectRequest: { project: { id: '<id>', description: '<description>' }, update_mask: 'description' },
  GetTaskStatsRequest: {},
  ListAuditEventsRequest: { page_size: 50, action: 'signed_in', outcome: 'AUDIT_OUTCOME_REFUSED' },
  PullEventsRequest: { page_size: 50 },
  CreatePersonalTokenRequest: { name: '<name>', scopes: ['SCOPE_TASKS_READ'], ttl: '3600s' },
  ListPersonalTokensRequest: { page_size: 50 },
  CheckPersonalTokenRequest: { token_hash: '<token_hash>' },
  CreateWebhookRequest: { webhook: { url: '<url>', description: '<description>' } },
  UpdateWebhookRequest: { webhook: { id: '<id>', description: '<description>' }, update_mask: 'description' },
  ReplayWebhookRequest: { webhook_id: '<webhook_id>', start_time: '<start_time>' },
  ListNotificationsRequest: { page_size: 50, kinds: ['NOTIFICATION_KIND_OVERDUE'] },
  MarkNotificationsReadRequest: { all: {} },
  CreateScheduleRequest: {
    schedule: { id: '<id>', description: '<description>', job: 'SCHEDULE_JOB_PRUNE_RECORDS', cron: everyMorning },
  },
  BackfillScheduleRequest: {
    schedule_id: '<schedule_id>',
    start_time: '2026-01-05T00:00:00Z',
    end_time: '2026-01-06T00:00:00Z',
  },
  PreviewScheduleRequest: { cron: everyMorning },
};

const rarelySent = [
  'page_token',
  'resume_token',
  'sync_token',
  'invitation_token',
  'assignee_email',
  'successor_id',
  'request_id',
  'validate_only',
  'etag',
  'read_mask',
];

const behaviorsOf = behaviorsIn(fileRegistry);

/** Decided by the server, another choice than the first, or needed by few. */
function isLeftOut(field: DescField): boolean {
  const isSecondChoice = field.oneof !== undefined && field.oneof.fields[0] !== field;
  const isDecided = [behavior.outputOnly, behavior.identifier].some((one) => behaviorsOf(field).includes(one));
  return isSecondChoice || isDecided || rarelySent.includes(field.name);
}

function messageFor(message: DescMessage, depth: number): unknown {
  if (message.typeName in wellKnown) return wellKnown[message.typeName];
  const fields = message.fields.filter((field) => !isLeftOut(field));
  const entries = fields
    .map((field) => [field.name, valueFor(field, depth)] as const)
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(depth === 0 ? entries : entries.slice(0, 4));
}

function scalarFor(field: DescField, scalar: ScalarType): unknown {
  if (scalar === ScalarType.STRING || (scalar === ScalarType.INT64 && /_(id|version)$/.test(field.name)))
    return `<${field.name}>`;
  return scalar === ScalarType.BOOL ? undefined : field.name === 'page_size' ? 50 : undefined;
}

function listFor(field: DescField & { fieldKind: 'list' }, depth: number): unknown {
  if (field.listKind === 'message') return depth < 2 ? [messageFor(field.message, depth + 1)] : undefined;
  if (field.listKind === 'enum') return [field.enum.values[1]?.name];
  return field.scalar === ScalarType.STRING ? [`<${field.name}>`] : undefined;
}

function valueFor(field: DescField, depth: number): unknown {
  if (field.fieldKind === 'message') return depth < 2 ? messageFor(field.message, depth + 1) : undefined;
  if (field.fieldKind === 'enum') return field.enum.values[1]?.name;
  if (field.fieldKind === 'scalar') return scalarFor(field, field.scalar);
  return field.fieldKind === 'list' ? listFor(field, depth) : undefined;
}

const headers: Readonly<Record<MethodPolicy['access'], string>> = {
  public: '',
  user: ' -H "authorization: Bearer $TOKEN"',
  admin: ' -H "authorization: Bearer $ADMIN_TOKEN"',
  service: ' -H "x-taskflow-service: $SERVICE_TOKEN"',
};

/** A call of the method as an operator would make it. */
export function grpcurlFor(method: DescMethod, { access, path }: MethodPolicy): string {
  const service = path.split('.')[1] ?? '';
  const body = JSON.stringify(written[method.input.name] ?? messageFor(method.input, 0));
  const data = body === '{}' ? '' : ` -d '${body}'`;
  return `grpcurl -plaintext${headers[access]}${data} localhost:${ports[service]} ${path.slice(1)}`;
}
