import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AuditActorKind,
  AuditOutcome,
  AuditTargetKind,
  type AuditEvent,
  type ListAuditEventsRequest,
} from '#contract/audit/v1/audit';
import { invalidFields, kindAndReason, readPages, type TestUser } from '#dev/testing';
import { startScheduler } from './start-scheduler.ts';

const service = await startScheduler();
afterAll(service.stop);
const admins: TestUser[] = [];
const queues = ['notifications', 'schedules', 'webhooks'];

const list = (request: Partial<ListAuditEventsRequest> = {}) => service.audit.listAuditEvents(request, admin().as);
const admin = (): TestUser => admins[0] as TestUser;

describe('the audit log', () => {
  let all: AuditEvent[];
  beforeAll(async () => {
    admins.push(await service.newUser('admin'), await service.newUser('admin'));
    for (const { as } of admins) {
      for (const queue of queues) {
        await service.scheduler.pauseQueue({ queue }, as);
        await service.scheduler.resumeQueue({ queue }, as);
      }
    }
    all = (await list({ pageSize: 1000 })).events;
  });

  it('shows at once what was done: who, what, to what, when, from where, under which call', () => {
    expect(all).toHaveLength(12);
    expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 12 }, (_, index) => BigInt(12 - index)));
    expect(all.at(-1)).toMatchObject({
      action: 'PauseQueue',
      outcome: AuditOutcome.DONE,
      actorKind: AuditActorKind.USER,
      actorId: admin().userId,
      targetKind: AuditTargetKind.QUEUE,
      targetId: 'notifications',
      callId: expect.stringMatching(/./),
      address: '127.0.0.1',
      createTime: expect.any(Date),
    });
  });

  it('leaves what agrees with every filter', async () => {
    const middle = all[6]?.createTime as Date;
    const filters: [Partial<ListAuditEventsRequest>, (event: AuditEvent) => boolean][] = [
      [{ action: 'PauseQueue' }, ({ action }) => action === 'PauseQueue'],
      [{ actorId: admins[1]?.userId ?? '' }, ({ actorId }) => actorId === admins[1]?.userId],
      [{ targetId: 'webhooks' }, ({ targetId }) => targetId === 'webhooks'],
      [{ outcome: AuditOutcome.REFUSED }, () => false],
      [{ outcome: AuditOutcome.DONE }, () => true],
      [{ startTime: middle }, ({ createTime }) => (createTime as Date) >= middle],
      [{ endTime: middle }, ({ createTime }) => (createTime as Date) < middle],
      [{ accountId: admin().userId }, () => false],
    ];
    for (const [one, isOne] of filters) {
      for (const [other, isOther] of filters) {
        const { events } = await list({ ...one, ...other, pageSize: 1000 });
        const [isFirst, isSecond] =
          Object.keys(one)[0] === Object.keys(other)[0] ? [isOther, isOther] : [isOne, isOther];
        expect(events).toEqual(all.filter((event) => isFirst(event) && isSecond(event)));
      }
    }
  });

  it('comes in pages that miss nothing and repeat nothing', async () => {
    const pages = await readPages((pageToken) => list({ pageSize: 5, pageToken }));
    expect(pages.map(({ events }) => events.length)).toEqual([5, 5, 2]);
    expect(pages.flatMap(({ events }) => events)).toEqual(all);
  });

  it('is for administrators; everybody reads what was done to the own account', async () => {
    const user = await service.newUser();
    expect(await kindAndReason(service.audit.listAuditEvents({}, user.as))).toBe('permission_denied/ADMIN_REQUIRED');
    expect((await service.audit.listOwnAuditEvents({}, user.as)).events).toEqual([]);
  });

  it('names every field that breaks its rule', async () => {
    const bad = {
      action: 'x'.repeat(101),
      outcome: 9 as unknown as AuditOutcome,
      actorId: 'x'.repeat(101),
      targetId: 'x'.repeat(201),
    };
    const fields = await invalidFields(list({ ...bad, accountId: 'nobody', pageSize: -1 }));
    expect(fields.sort()).toEqual(['account_id', 'action', 'actor_id', 'outcome', 'page_size', 'target_id']);
  });
});
