import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createAuditLog } from '#libs/audit';
import { openDatabase } from '#libs/db';
import { prepareTestService } from '#dev/testing';
import { databaseDefinition } from '../src/db/database.ts';
import { createWaitingWorkReader } from '../src/db/jobs/waiting-work.reader.ts';
import { createRepositories, type Repositories } from '../src/db/repositories.ts';
import { addNotification, addRun } from './rows.ts';

const testService = await prepareTestService('scheduler');
const database = await openDatabase({
  ...databaseDefinition(testService.databaseUrl),
  logger: testService.logger,
  poolSize: 4,
  applicationName: 'claims',
});
const audit = createAuditLog({ service: 'scheduler', database, logger: testService.logger, retentionMs: 86_400_000 });
const uow = database.unitOfWork(createRepositories(audit, { mailsOn: false }));
afterAll(async () => {
  await database.close();
  await testService.leave();
});

const lookForWaiting = createWaitingWorkReader(database.reader, { mailsOn: false });

/** A run that was planned for this many hours ago. */
const addRunOf = (scheduleId: string, hoursAgo: number): Promise<string> =>
  addRun(testService, { scheduleId, plannedTime: new Date(Date.now() - hoursAgo * 3_600_000) });
const claim = async ({ scheduleRuns }: Repositories) =>
  (await scheduleRuns.claim(100, randomUUID)).map(({ runId }) => runId);

/** A claim whose transaction stays open until `commit`. */
async function claimAndHold(): Promise<{ runIds: string[]; commit: () => Promise<unknown> }> {
  const claimed = Promise.withResolvers<string[]>();
  const mayEnd = Promise.withResolvers<undefined>();
  const transaction = uow.run(async (repositories) => {
    claimed.resolve(await claim(repositories));
    await mayEnd.promise;
  });
  transaction.catch(claimed.reject);
  return {
    runIds: await claimed.promise,
    commit: async () => {
      mayEnd.resolve(undefined);
      await transaction;
    },
  };
}

describe('replicas that claim the runs of one schedule at the same time', () => {
  it('never get two of them, not even when an older one is recorded between their claims', async () => {
    const scheduleId = randomUUID();
    const first = await addRunOf(scheduleId, 1);
    const holder = await claimAndHold();
    // As a backfill does, before the first run's job is visible.
    const older = await addRunOf(scheduleId, 2);
    const byAnother = await uow.run(claim);
    await holder.commit();
    expect([holder.runIds, byAnother, await uow.run(claim)]).toEqual([[first], [], []]);
    await uow.run(async ({ scheduleRuns }) => scheduleRuns.finish(first, 'done', ''));
    expect(await uow.run(claim)).toEqual([older]);
  });

  it('leave that schedule to the holder of its lock and get the runs of others, without waiting', async () => {
    const busy = await addRunOf(randomUUID(), 1);
    const holder = await claimAndHold();
    const free = await addRunOf(randomUUID(), 1);
    const byAnother = await uow.run(claim);
    await holder.commit();
    expect([holder.runIds, byAnother]).toEqual([[busy], [free]]);
  });
});

describe('the look for waiting work', () => {
  it('tells of what each loop would find, and of no run that must wait for another', async () => {
    const before = await lookForWaiting();
    const scheduleId = randomUUID();
    await addRunOf(scheduleId, 2);
    const withRun = await lookForWaiting();
    await uow.run(claim);
    await addRunOf(scheduleId, 1);
    const behindAnother = await lookForWaiting();
    await addNotification(testService, { deliverAfter: new Date(Date.now() - 1000) });
    const withNotification = await lookForWaiting();
    await testService.sql("insert into queue_holds (queue, held_by, hold_time) values ('webhooks', uuidv7(), now())");
    const paused = await lookForWaiting();

    const nothing = { pausedQueues: new Set(), schedules: false, plans: false, jobs: false };
    expect([before, withRun, behindAnother, withNotification, paused]).toEqual([
      nothing,
      { ...nothing, jobs: true },
      nothing,
      { ...nothing, jobs: true },
      { ...nothing, jobs: true, pausedQueues: new Set(['webhooks']) },
    ]);
  });
});
