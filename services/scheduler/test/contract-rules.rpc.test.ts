import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Schedule, ScheduleJob } from '#contract/scheduler/v1/scheduler';
import { NotificationKind, Webhook } from '#contract/scheduler/v1/notifications';
import { Task, TaskEvent, TaskEventType } from '#contract/tasks/v1/tasks';
import { fileRegistry } from '#libs/contract';
import { invalidFields, kindAndReason, refusal, refused } from '#dev/testing';
import type { TestUser } from './start-cluster.ts';
import { startScheduler } from './start-scheduler.ts';
import { addDeadLetter, addDeadLetterEvent, addNotification, addRun } from './rows.ts';

const service = await startScheduler(
  {},
  { lookup: (_name, _options, answer) => answer(new Error('no such name'), []) },
);
afterAll(service.stop);
const admin = await service.newUser('admin');

const yearly = { $case: 'cron', value: { expression: '0 0 1 1 *', timeZone: '' } } as const;
const newSchedule = (): Schedule =>
  Schedule.fromPartial({ id: `s-${randomUUID()}`, job: ScheduleJob.PRUNE_RECORDS, recurrence: yearly });
async function scheduleId(): Promise<string> {
  const schedule = newSchedule();
  await service.scheduler.createSchedule({ schedule }, admin.as);
  return schedule.id;
}

const newWebhook = (): Webhook => Webhook.fromPartial({ url: 'https://hooks.example.com/hook' });
async function webhookId(): Promise<string> {
  await service.sql("update webhooks set state = 'deleted'");
  const { webhook } = await service.notifications.createWebhook({ webhook: newWebhook() }, admin.as);
  return webhook?.id ?? '';
}
async function delivery(): Promise<object> {
  const id = await webhookId();
  const { deliveryId } = await service.notifications.testWebhook({ webhookId: id }, admin.as);
  return { webhookId: id, deliveryId };
}

async function deadJobId(): Promise<string> {
  const runId = await addRun(service, { scheduleId: 'pruning', state: 'dead', result: 'it died' });
  const payload = { scheduleId: 'pruning', runId };
  return addDeadLetter(service, { queue: 'schedules', name: 'run-schedule', payload });
}

let lastEventId = 100n;
async function eventId(): Promise<bigint> {
  lastEventId += 1n;
  const after = Task.fromPartial({ id: randomUUID(), ownerId: admin.userId, title: 'title' });
  const event = TaskEvent.fromPartial({
    position: { transactionId: 7n, eventId: lastEventId },
    type: TaskEventType.OVERDUE,
    taskId: after.id,
    createTime: new Date(),
    change: { after, dueVersion: 1n },
  });
  await addDeadLetterEvent(service, lastEventId, { event: TaskEvent.encode(event).finish() });
  return lastEventId;
}

async function unreadNotification(): Promise<object> {
  const id = await addNotification(service, {
    recipientId: admin.userId,
    state: 'delivered',
    deliverTime: new Date(),
  });
  return { selection: { $case: 'ids', value: { notificationIds: [id] } } };
}

interface Mutation {
  request: () => object | Promise<object>;
  /** A request that is refused, and why. */
  refusedRequest: object;
  reason: string;
}

const june = { startTime: new Date('2025-06-02'), endTime: new Date('2025-06-03') };
const unknown = { scheduleId: 'unknown', webhookId: randomUUID(), deadJobId: randomUUID(), eventId: 1n };
const ofSchedule = (fields: object = {}): Mutation => ({
  request: async () => ({ scheduleId: await scheduleId(), ...fields }),
  refusedRequest: { ...unknown, ...fields },
  reason: 'SCHEDULE_NOT_FOUND',
});
const ofWebhook: Mutation = {
  request: async () => ({ webhookId: await webhookId() }),
  refusedRequest: unknown,
  reason: 'WEBHOOK_NOT_FOUND',
};
const ofDeadJob: Mutation = {
  request: async () => ({ deadJobId: await deadJobId() }),
  refusedRequest: unknown,
  reason: 'DEAD_JOB_NOT_FOUND',
};
const ofEvent: Mutation = {
  request: async () => ({ eventId: await eventId() }),
  refusedRequest: unknown,
  reason: 'DEAD_LETTER_EVENT_NOT_FOUND',
};
const queue = 'webhooks';
const noQueue = { refusedRequest: { queue: 'mail' }, reason: 'QUEUE_NOT_FOUND' };

const mutations: Record<string, Mutation> = {
  CreateSchedule: {
    request: () => ({ schedule: newSchedule() }),
    refusedRequest: { schedule: { ...newSchedule(), id: 'pruning' } },
    reason: 'SCHEDULE_EXISTS',
  },
  PauseSchedule: ofSchedule(),
  ResumeSchedule: {
    ...ofSchedule(),
    request: async () => {
      const id = await scheduleId();
      await service.scheduler.pauseSchedule({ scheduleId: id }, admin.as);
      return { scheduleId: id };
    },
  },
  TriggerSchedule: ofSchedule(),
  BackfillSchedule: ofSchedule(june),
  DeleteSchedule: ofSchedule(),
  PauseQueue: { request: () => ({ queue }), ...noQueue },
  ResumeQueue: {
    request: async () => {
      await service.scheduler.pauseQueue({ queue }, admin.as);
      return { queue };
    },
    ...noQueue,
  },
  RetryDeadJob: ofDeadJob,
  DiscardDeadJob: ofDeadJob,
  RetryDeadLetterEvent: ofEvent,
  DiscardDeadLetterEvent: ofEvent,
  MarkNotificationsRead: { request: unreadNotification, refusedRequest: {}, reason: 'INVALID_FIELD' },
  CreateWebhook: {
    request: async () => {
      await webhookId();
      return { webhook: newWebhook() };
    },
    refusedRequest: { webhook: Webhook.fromPartial({ url: 'https://10.0.0.1' }) },
    reason: 'INVALID_FIELD',
  },
  UpdateWebhook: {
    request: async () => ({ webhook: Webhook.fromPartial({ id: await webhookId(), description: 'mine' }) }),
    refusedRequest: { webhook: Webhook.fromPartial({ id: unknown.webhookId, description: 'mine' }) },
    reason: 'WEBHOOK_NOT_FOUND',
  },
  DeleteWebhook: ofWebhook,
  RotateWebhookSecret: ofWebhook,
  EnableWebhook: {
    ...ofWebhook,
    request: async () => {
      const id = await webhookId();
      await service.sql("update webhooks set state = 'disabled', disable_reason = 'broken' where id = $1", [id]);
      return { webhookId: id };
    },
  },
  TestWebhook: ofWebhook,
  RedeliverWebhook: {
    request: delivery,
    refusedRequest: { ...unknown, deliveryId: randomUUID() },
    reason: 'WEBHOOK_NOT_FOUND',
  },
};

/** They ask tasks, which does not run here; webhook-events.flow.test.ts has them. */
const testedWithTasks = ['ReplayWebhook'];

type Method = (request: object, as: TestUser['as']) => Promise<object>;

function call(method: string, request: object): Promise<object> {
  const name = `${method[0]?.toLowerCase() ?? ''}${method.slice(1)}`;
  const methods = { ...service.scheduler, ...service.notifications } as unknown as Record<string, Method>;
  const found = methods[name];
  if (found === undefined) throw new Error(`no method ${name}`);
  return found(request, admin.as);
}

/** What requests decide about, and not what the service does by itself meanwhile. */
const recorded = {
  schedules: 'id, paused',
  'schedule_runs where requested_by is not null': "id, state = 'dead' as is_dead",
  queue_holds: 'queue',
  dead_letters: 'id, state',
  parked_events: 'event_id',
  notifications: 'id, read_time',
  webhooks: 'id, state, version, secret',
  webhook_deliveries: 'id, redelivery',
  '(select id from audit.waiting union select id from audit.chain) as audited': 'id',
};
async function snapshot(): Promise<unknown[]> {
  const tables: unknown[] = [];
  for (const [table, columns] of Object.entries(recorded))
    tables.push(await service.sql(`select ${columns} from ${table} order by 1`));
  return tables;
}

/** An answer without what differs from one call to the next. */
function shapeOf(answer: object): unknown {
  const hide = (name: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return String(value);
    if (name === 'secret' || name === 'etag') return name;
    return typeof value === 'string' ? value.replace(/[0-9a-f-]{36}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'any') : value;
  };
  return JSON.parse(JSON.stringify(answer, hide)) as unknown;
}

describe.each(Object.entries(mutations))('%s', (method, { request, refusedRequest, reason }) => {
  it('with validate_only answers the same and writes nothing', async () => {
    const real = await request();
    const before = await snapshot();
    const dry = await call(method, { ...real, validateOnly: true, requestId: 'dry-run' });
    expect(await snapshot()).toEqual(before);
    expect(shapeOf(dry)).toEqual(shapeOf(await call(method, { ...real, requestId: 'dry-run' })));
    expect(await snapshot()).not.toEqual(before);
  });

  it('with validate_only is refused as without', async () => {
    const real = await refused(call(method, refusedRequest));
    expect(real.reason).toBe(reason);
    expect(await refused(call(method, { ...refusedRequest, validateOnly: true }))).toEqual(real);
  });

  it('gives one answer and has one effect for one request id', async () => {
    const real = { ...(await request()), requestId: randomUUID() };
    const answer = await call(method, real);
    const after = await snapshot();
    expect(await call(method, real)).toEqual(answer);
    expect(await snapshot()).toEqual(after);
  });
});

describe('an etag', () => {
  it('of a schedule must be current when it is paused, resumed or deleted', async () => {
    const id = await scheduleId();
    const get = async () => (await service.scheduler.getSchedule({ scheduleId: id }, admin.as)).schedule;
    const first = (await get())?.etag ?? '';
    await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as);
    expect((await get())?.etag).toBe(first);
    const paused = await service.scheduler.pauseSchedule({ scheduleId: id, etag: first }, admin.as);
    for (const method of ['PauseSchedule', 'ResumeSchedule', 'DeleteSchedule'])
      expect(await kindAndReason(call(method, { scheduleId: id, etag: first }))).toBe('aborted/ETAG_MISMATCH');
    await service.scheduler.deleteSchedule({ scheduleId: id, etag: paused.schedule?.etag ?? '' }, admin.as);
  });

  it('of a queue must be current when it is paused or resumed', async () => {
    const get = async () =>
      (await service.scheduler.listQueues({}, admin.as)).queues.find(({ name }) => name === queue)?.etag ?? '';
    await service.scheduler.resumeQueue({ queue }, admin.as);
    const running = await get();
    await service.scheduler.pauseQueue({ queue, etag: running }, admin.as);
    const paused = await get();
    for (const method of ['PauseQueue', 'ResumeQueue'])
      expect((await refused(call(method, { queue, etag: running }))).reason).toBe('ETAG_MISMATCH');
    await service.scheduler.resumeQueue({ queue, etag: paused }, admin.as);
    expect(await get()).toBe(running);
  });

  it('of a webhook must be current in every write by its owner', async () => {
    const id = await webhookId();
    const webhook = Webhook.fromPartial({ id, description: 'mine', etag: '"1"' });
    const { webhook: updated } = await service.notifications.updateWebhook({ webhook }, admin.as);
    const late = { webhookId: id, etag: '"1"' };
    for (const method of ['EnableWebhook', 'RotateWebhookSecret', 'DeleteWebhook'])
      expect((await refused(call(method, late))).reason).toBe('ETAG_MISMATCH');
    expect((await refused(call('UpdateWebhook', { webhook }))).reason).toBe('ETAG_MISMATCH');
    await service.notifications.deleteWebhook({ webhookId: id, etag: updated?.etag ?? '' }, admin.as);
  });
});

describe('UpdateWebhook', () => {
  it('changes what is set without a mask, and everything with "*"', async () => {
    const url = 'https://hooks.example.com/other';
    const id = await webhookId();
    const update = async (fields: Partial<Webhook>, updateMask?: string[]) =>
      (
        await service.notifications.updateWebhook(
          { webhook: Webhook.fromPartial({ id, ...fields }), ...(updateMask && { updateMask }) },
          admin.as,
        )
      ).webhook;
    const kinds = [NotificationKind.OVERDUE];
    expect(await update({ description: 'CI', kinds })).toMatchObject({
      url: newWebhook().url,
      description: 'CI',
      kinds,
    });
    expect(await update({ url })).toMatchObject({ url, description: 'CI', kinds });
    expect(await update({ url }, ['*'])).toMatchObject({ url, description: '', kinds: [] });
    expect(await invalidFields(update({ description: 'no url' }, ['*']))).toEqual(['webhook.url']);
    expect(await invalidFields(update({}))).toEqual(['webhook']);
    expect(await invalidFields(update({ url }, ['*', 'url']))).toEqual(['update_mask']);
  });
});

describe('pages', () => {
  it('of queues go by name', async () => {
    const first = await service.scheduler.listQueues({ pageSize: 2 }, admin.as);
    const second = await service.scheduler.listQueues({ pageSize: 2, pageToken: first.nextPageToken }, admin.as);
    expect([first, second].map(({ queues }) => queues.map(({ name }) => name))).toEqual([
      ['mails', 'notifications'],
      ['schedules', 'webhooks'],
    ]);
    expect(second.nextPageToken).toBe('');
  });

  it('of webhooks begin with the oldest, and belong to one caller', async () => {
    const ids = [await webhookId()];
    for (const webhook of [newWebhook(), newWebhook()])
      ids.push((await service.notifications.createWebhook({ webhook }, admin.as)).webhook?.id ?? '');
    const first = await service.notifications.listWebhooks({ pageSize: 2 }, admin.as);
    const next = { pageSize: 2, pageToken: first.nextPageToken };
    const second = await service.notifications.listWebhooks(next, admin.as);
    expect([...first.webhooks, ...second.webhooks].map(({ id }) => id)).toEqual(ids);
    expect(second.nextPageToken).toBe('');
    const other = await service.newUser();
    expect((await refused(service.notifications.listWebhooks(next, other.as))).reason).toBe('PAGE_TOKEN_INVALID');
  });
});

it.each<[string, object, Record<string, string>]>([
  ['GetWebhook', unknown, { webhookId: unknown.webhookId }],
  ['GetSchedule', unknown, { scheduleId: 'unknown' }],
  ['DeleteSchedule', { scheduleId: 'pruning' }, { scheduleId: 'pruning' }],
  ['RetryDeadJob', unknown, { deadJobId: unknown.deadJobId }],
  ['DiscardDeadLetterEvent', unknown, { eventId: '1' }],
])('%s says in metadata what its error is about', async (method, request, metadata) => {
  expect((await refusal(call(method, request))).details.metadata).toEqual(metadata);
});

it('holds for every method that can be validated or repeated', () => {
  const names = ['SchedulerService', 'NotificationsService'].flatMap(
    (name) => fileRegistry.getService(`taskflow.scheduler.v1.${name}`)?.methods ?? [],
  );
  const withField = (field: string): string[] =>
    names.filter(({ input }) => input.fields.some(({ name }) => name === field)).map(({ name }) => name);
  const tested = [...Object.keys(mutations), ...testedWithTasks].sort();
  expect(withField('validate_only').sort()).toEqual(tested);
  expect(withField('request_id').sort()).toEqual(tested);
});
