import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Webhook } from '#contract/scheduler/v1/notifications';
import { waitUntil } from '#dev/cluster';
import { exportFrom, listTables, tablesOf } from '#dev/testing';
import { exportedData } from '../src/db/exported-data.ts';
import { addNotification } from './rows.ts';
import { startScheduler } from './start-scheduler.ts';

/** No name has an address, so that deliveries fail. */
const service = await startScheduler({}, { lookup: (_hostname, _options, callback) => callback(null, []) });
afterAll(service.stop);

const idsOf = (resources: Record<string, unknown>[] | undefined): unknown[] => (resources ?? []).map(({ id }) => id);

describe('ExportMyData of the scheduler', () => {
  it('has the inbox with the members of its digests, and nothing that was not delivered', async () => {
    const [user, other] = [await service.newUser(), await service.newUser()];
    const delivered = { recipientId: user.userId, state: 'delivered', deliverTime: new Date() } as const;
    const entries = new Set<string>();
    for (let count = 0; count < 150; count += 1) entries.add(await addNotification(service, delivered));
    const digestId = randomUUID();
    await addNotification(service, { ...delivered, id: digestId, digestId, digestTaskCount: 2 });
    const member = await addNotification(service, { ...delivered, inInbox: false, digestId });
    await addNotification(service, { ...delivered, recipientId: other.userId });
    await addNotification(service, { recipientId: user.userId, deliverAfter: new Date('2999-01-01') });
    const { byType } = await exportFrom(service.app, user.as);
    const ids = idsOf(byType['notification']);
    expect(ids).toHaveLength(152);
    expect(new Set(ids)).toEqual(new Set([...entries, digestId, member]));
  });

  it('has webhooks and their deliveries, without their secrets', async () => {
    const user = await service.newUser();
    const url = 'https://hooks.example.com/';
    const { webhook, secret } = await service.notifications.createWebhook(
      { webhook: Webhook.fromPartial({ url, description: 'CI' }) },
      user.as,
    );
    const webhookId = webhook?.id ?? '';
    const { deliveryId } = await service.notifications.testWebhook({ webhookId }, user.as);
    await waitUntil(
      () => service.notifications.listWebhookDeliveries({ webhookId }, user.as),
      ({ deliveries }) => (deliveries[0]?.attempts[0]?.error ?? '') !== '',
    );
    const file = await exportFrom(service.app, user.as);
    const { byType } = file;
    expect(byType['webhook']).toEqual([expect.objectContaining({ id: webhookId, url })]);
    expect(byType['webhook_delivery']).toEqual([
      expect.objectContaining({
        id: deliveryId,
        attempts: expect.arrayContaining([expect.objectContaining({ number: 1, error: expect.stringMatching(/./) })]),
      }),
    ]);
    expect(JSON.stringify(file)).not.toContain(secret.slice('whsec_'.length));
  });

  it('names every table, as exported or with the reason why not', async () => {
    expect(tablesOf(exportedData)).toEqual(await listTables(service.sql));
  });
});
