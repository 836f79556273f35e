import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  NotificationKind,
  Webhook,
  WebhookDeliveryState,
  WebhookMessageType,
  WebhookState,
  type WebhookDelivery,
} from '#contract/scheduler/v1/notifications';
import { waitUntil } from '#dev/cluster';
import type { Lookup } from '../src/clients/webhook.client.ts';
import { answering, invalidFields, kindAndReason, refused, startReceiver, verify, type Receiver } from '#dev/testing';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

/** The addresses of each name, one list per lookup; the last one stays. Webhooks of other tests go on trying their names. */
const names = new Map<string, string[][]>();
const lookup: Lookup = (hostname, _options, callback) => {
  const answers = names.get(hostname) ?? [];
  const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
  if (addresses.length === 0) callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
  else
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
};

/** Long, so that only the faults of a test fail; one test waits this long for an endpoint that hangs. */
const timeoutMs = 5_000;
const start = (giveUpMs: number): Promise<TestScheduler> =>
  startScheduler(
    { webhooks: { privateTargets: ['127.0.0.1/32'], timeoutMs, firstPauseMs: 100, giveUpMs } },
    { lookup },
  );

let service: TestScheduler;
let receiver: Receiver;
let user: TestUser;
beforeAll(async () => {
  service = await start(60_000);
});
beforeEach(async () => {
  names.set('hooks.example.com', [['127.0.0.1']]);
  receiver = await startReceiver();
  user = await service.newUser();
});
afterEach(() => receiver.close());
afterAll(() => service?.stop());

const create = async (fields: Partial<Webhook> = {}, requestId = '') => {
  const { webhook, secret } = await service.notifications.createWebhook(
    { webhook: Webhook.fromPartial({ url: receiver.url, ...fields }), requestId },
    user.as,
  );
  return { id: webhook?.id ?? '', webhook: webhook ?? Webhook.fromPartial({}), secret };
};
const test = async (webhookId: string) => (await service.notifications.testWebhook({ webhookId }, user.as)).deliveryId;
const log = async (webhookId: string): Promise<WebhookDelivery[]> =>
  (await service.notifications.listWebhookDeliveries({ webhookId }, user.as)).deliveries;
const { DELIVERED, DEAD, STALE } = WebhookDeliveryState;
const completed = (webhookId: string, states: WebhookDeliveryState[] = [DELIVERED, DEAD, STALE]) =>
  waitUntil(
    () => log(webhookId),
    (all) => all.length > 0 && all.every(({ state }) => states.includes(state)),
  );
/** The deliveries, of which the newest has failed that many times. */
const failed = (webhookId: string, times = 1) =>
  waitUntil(
    () => log(webhookId),
    ([newest]) => (newest?.attempts[times - 1]?.error ?? '') !== '',
  );
const find = async (webhookId: string) => (await service.notifications.getWebhook({ webhookId }, user.as)).webhook;

describe('a webhook', () => {
  it('gets signed messages; its secret is shown once and stored sealed', async () => {
    const { id, secret, webhook } = await create({ description: 'CI', kinds: [NotificationKind.OVERDUE] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toMatchObject({
      url: receiver.url,
      description: 'CI',
      kinds: [NotificationKind.OVERDUE],
      state: WebhookState.ENABLED,
    });
    const deliveryId = await test(id);
    const [delivery] = await completed(id);
    const [received] = receiver.received;
    if (received === undefined) throw new Error('nothing came');
    verify(received, secret);
    expect(() => verify({ ...received, body: `${received.body} ` }, secret)).toThrow();
    expect(received.message).toMatchObject({ type: 'webhook.test', data: { webhook_id: id } });
    expect(delivery).toMatchObject({
      id: deliveryId,
      messageId: received.headers['webhook-id'],
      type: WebhookMessageType.WEBHOOK_TEST,
      body: received.body,
      attempts: [{ number: 1, statusCode: 204, error: '' }],
    });
    expect(delivery?.attempts[0]?.duration).toBeDefined();
    const listed = await service.notifications.listWebhooks({}, user.as);
    expect(listed.webhooks).toMatchObject([{ id, lastSuccessTime: expect.any(Date) }]);
    const bytes = Buffer.from(secret.slice(6), 'base64');
    const [row] = await service.sql<{ secret: Buffer }>('select secret from webhooks where id = $1', [id]);
    expect(row?.secret.includes(bytes)).toBe(false);
    expect(service.logLines.join('')).not.toContain(secret.slice(6));
  });

  it('is created once for a request id, with the same secret, which the record keeps sealed', async () => {
    const requestId = randomUUID();
    const [first, second] = [await create({}, requestId), await create({}, requestId)];
    expect(second).toEqual(first);
    const [row] = await service.sql<{ response: Buffer }>(
      'select response from idempotency_records where request_id = $1',
      [requestId],
    );
    expect(row?.response.toString('latin1')).not.toContain(first.secret);
  });

  it('exists only for its owner, who may have ten', async () => {
    const { id } = await create();
    const other = await service.newUser();
    const notFound = { kind: 'not_found', reason: 'WEBHOOK_NOT_FOUND' };
    const { notifications } = service;
    for (const call of [
      notifications.getWebhook({ webhookId: id }, other.as),
      notifications.updateWebhook(
        { webhook: Webhook.fromPartial({ id, description: 'x' }), updateMask: ['description'] },
        other.as,
      ),
      notifications.rotateWebhookSecret({ webhookId: id }, other.as),
      notifications.enableWebhook({ webhookId: id }, other.as),
      notifications.testWebhook({ webhookId: id }, other.as),
      notifications.listWebhookDeliveries({ webhookId: id }, other.as),
      notifications.redeliverWebhook({ webhookId: id, deliveryId: randomUUID() }, other.as),
      notifications.deleteWebhook({ webhookId: id }, other.as),
    ])
      expect(await refused(call)).toEqual(notFound);
    const more = await Promise.allSettled(Array.from({ length: 12 }, () => create()));
    expect(more.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
    expect(await refused(create())).toEqual({ kind: 'failed_precondition', reason: 'TOO_MANY_WEBHOOKS' });
  });

  it('is changed by its mask and etag, and deleted for good', async () => {
    const { id, webhook } = await create();
    const update = (fields: Partial<Webhook>, updateMask: string[]) =>
      service.notifications.updateWebhook({ webhook: Webhook.fromPartial({ id, ...fields }), updateMask }, user.as);
    const { webhook: changed } = await update(
      { description: 'new', url: 'https://ignored.example.com', etag: webhook.etag },
      ['description'],
    );
    expect(changed).toMatchObject({ description: 'new', url: receiver.url });
    expect(await kindAndReason(update({ description: 'late', etag: webhook.etag }, ['description']))).toBe(
      'aborted/ETAG_MISMATCH',
    );
    expect(await invalidFields(update({ url: 'http://10.0.0.1/' }, ['url', 'kinds']))).toEqual(['webhook.url']);
    expect(await invalidFields(update({}, ['state']))).toEqual(['update_mask']);
    expect(await invalidFields(update({}, ['kinds', 'kinds']))).toEqual(['update_mask']);
    await service.notifications.deleteWebhook({ webhookId: id }, user.as);
    expect(await refused(find(id))).toEqual({ kind: 'not_found', reason: 'WEBHOOK_NOT_FOUND' });
    expect(
      await service.sql('select length(secret) as length, previous_secret from webhooks where id = $1', [id]),
    ).toEqual([{ length: 0, previous_secret: null }]);
  });

  it('signs with both secrets during a rotation', async () => {
    const { id, secret: old } = await create();
    const { secret, webhook } = await service.notifications.rotateWebhookSecret(
      { webhookId: id, grace: { seconds: 60n, nanos: 0 } },
      user.as,
    );
    expect(webhook?.previousSecretExpireTime).toBeDefined();
    await test(id);
    await completed(id);
    expect(String(receiver.received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    for (const one of receiver.received) [secret, old].forEach((key) => verify(one, key));
    const { secret: last } = await service.notifications.rotateWebhookSecret(
      { webhookId: id, grace: { seconds: 0n, nanos: 0 } },
      user.as,
    );
    await test(id);
    await waitUntil(async () => receiver.received.length === 2);
    const [, second] = receiver.received;
    if (second === undefined) throw new Error('nothing came');
    verify(second, last);
    expect(() => verify(second, secret)).toThrow();
  });

  it('names every field that breaks its rule', async () => {
    expect(
      await invalidFields(
        create({ url: 'ftp://example.com', description: 'x'.repeat(201), kinds: ['X' as NotificationKind] }),
      ),
    ).toEqual(['webhook.url', 'webhook.description', 'webhook.kinds[0]']);
    const kinds = [NotificationKind.OVERDUE, NotificationKind.WEBHOOK_DISABLED];
    expect(await invalidFields(create({ kinds }))).toEqual(['webhook.kinds[1]']);
    expect(
      await invalidFields(
        service.notifications.rotateWebhookSecret(
          { webhookId: 'x', grace: { seconds: 8n * 86_400n, nanos: 0 } },
          user.as,
        ),
      ),
    ).toEqual(['webhook_id', 'grace']);
  });
});

describe('an endpoint that fails', () => {
  it('is tried again with the same id and body until it answers', async () => {
    const { id } = await create();
    receiver.behave((answer, request) => answering(receiver.received.length < 3 ? 500 : 200)(answer, request));
    await test(id);
    const [delivery] = await completed(id);
    expect(delivery?.attempts.map(({ statusCode, error }) => [statusCode, error])).toEqual([
      [500, 'answered 500'],
      [500, 'answered 500'],
      [200, ''],
    ]);
    expect(new Set(receiver.received.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(
      1,
    );
    expect((await find(id))?.failingStartTime).toBeUndefined();
  });

  it.each([
    ['hangs', () => undefined, `no answer within ${timeoutMs} ms`],
    ['closes', (answer: { destroy(): unknown }) => void answer.destroy(), 'no answer: ECONNRESET'],
    [
      'redirects',
      answering(302, { location: 'http://169.254.169.254/latest/meta-data' }),
      'answered 302; redirects are not followed',
    ],
  ])('is recorded: it %s', async (_name, behaviour, error) => {
    const { id } = await create();
    receiver.behave(behaviour as never);
    await test(id);
    const [delivery] = await failed(id);
    expect(delivery?.attempts[0]?.error).toBe(error);
  });

  it('does not read an endless answer to its end', async () => {
    const { id } = await create();
    receiver.behave((answer) => {
      answer.writeHead(200);
      const flood = (): void =>
        void (answer.destroyed || answer.write(Buffer.alloc(65_536), () => setImmediate(flood)));
      flood();
    });
    await test(id);
    expect(await completed(id)).toMatchObject([{ state: DELIVERED }]);
  });

  it('is disabled at once when it answers 410', async () => {
    const { id } = await create();
    receiver.behave(answering(410));
    await test(id);
    await completed(id);
    expect(await find(id)).toMatchObject({
      state: WebhookState.DISABLED,
      disableReason: expect.stringContaining('410'),
    });
  });
});

describe('an endpoint that fails for as long as it is tried', () => {
  let usual: TestScheduler;
  beforeAll(async () => {
    usual = service;
    service = await start(2_500);
  });
  afterAll(async () => {
    await service.stop();
    service = usual;
  });

  it('is disabled when no attempt succeeds for the whole time; its owner is notified and can enable it again', async () => {
    const { id } = await create();
    receiver.behave(answering(503));
    const deliveryId = await test(id);
    const [delivery] = await completed(id);
    expect(delivery).toMatchObject({ id: deliveryId, state: DEAD });
    expect(await find(id)).toMatchObject({
      state: WebhookState.DISABLED,
      disableReason: expect.stringContaining('answered 503'),
    });
    const { notifications } = await service.notifications.listNotifications({}, user.as);
    expect(notifications).toMatchObject([{ kind: NotificationKind.WEBHOOK_DISABLED, webhookId: id, taskId: '' }]);
    expect(
      await service.sql(`select name, queue from dead_letters where payload->>'deliveryId' = $1`, [deliveryId]),
    ).toEqual([{ name: 'deliver-webhooks', queue: 'webhooks' }]);
    expect(await refused(test(id))).toEqual({ kind: 'failed_precondition', reason: 'WEBHOOK_NOT_ENABLED' });
    const admin = await service.newUser('admin');
    const letters = async () =>
      (await service.scheduler.listDeadJobs({ queue: 'webhooks', includeResolved: true }, admin.as)).deadJobs.filter(
        ({ payload }) => (payload as { deliveryId?: string }).deliveryId === deliveryId,
      );
    const [letter] = await letters();
    expect(await kindAndReason(service.scheduler.retryDeadJob({ deadJobId: letter?.id ?? '' }, admin.as))).toBe(
      'failed_precondition/WEBHOOK_NOT_ENABLED',
    );
    expect(await letters()).toEqual([letter]);

    receiver.behave(answering(204));
    expect((await service.notifications.enableWebhook({ webhookId: id }, user.as)).webhook?.state).toBe(
      WebhookState.ENABLED,
    );
    await service.notifications.redeliverWebhook({ webhookId: id, deliveryId }, user.as);
    expect(await completed(id, [DELIVERED])).toMatchObject([{ id: deliveryId, messageId: delivery?.messageId }]);
    expect(
      await refused(service.notifications.redeliverWebhook({ webhookId: id, deliveryId: randomUUID() }, user.as)),
    ).toEqual({ kind: 'not_found', reason: 'WEBHOOK_DELIVERY_NOT_FOUND' });
  });
});

describe('a name that leads elsewhere', () => {
  it.each([
    ['loopback', '127.0.0.2'],
    ['metadata', '169.254.169.254'],
    ['private', '10.0.0.1'],
    ['mapped', '::ffff:10.0.0.1'],
    ['ULA', 'fd00::1'],
  ])('is refused: %s', async (_name, address) => {
    names.set('rebinding.example.com', [[address]]);
    const { id } = await create({ url: `http://rebinding.example.com:${receiver.port}/` });
    await test(id);
    const [delivery] = await failed(id);
    expect(delivery?.attempts[0]?.error).toBe('refused: the name leads to private or other special addresses');
    expect(receiver.received).toEqual([]);
  });

  it('is refused also when it led to an allowed address before', async () => {
    names.set('moving.example.com', [['127.0.0.1'], ['127.0.0.2']]);
    const { id } = await create({ url: `http://moving.example.com:${receiver.port}/` });
    receiver.behave(answering(500));
    await test(id);
    const [delivery] = await failed(id, 2);
    expect(delivery?.attempts.slice(0, 2).map(({ error }) => error)).toEqual([
      'answered 500',
      'refused: the name leads to private or other special addresses',
    ]);
    expect(receiver.received).toHaveLength(1);
  });

  it('that does not resolve is a failure like others', async () => {
    const { id } = await create({ url: 'http://unknown.example.com/' });
    await test(id);
    const [delivery] = await failed(id);
    expect(delivery?.attempts[0]?.error).toBe('no answer: ENOTFOUND');
  });
});
