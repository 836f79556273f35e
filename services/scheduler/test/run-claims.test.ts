import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDatabase, type Database, type UnitOfWork } from '#libs/db';
import { prepareGrounds, type Grounds } from '../../test/grounds.ts';
import { databaseDefinition } from '../src/db/database.ts';
import { createRepositories, type Repositories } from '../src/db/repositories.ts';

let grounds: Grounds;
let database: Database;
let uow: UnitOfWork<Repositories>;
beforeAll(async () => {
  grounds = await prepareGrounds('scheduler');
  database = await openDatabase({ ...databaseDefinition(grounds.databaseUrl), logger: grounds.logger, poolSize: 4, applicationName: 'claims' });
  uow = database.unitOfWork(createRepositories);
});
afterAll(async () => {
  await database?.close();
  await grounds?.leave();
});

/** A run that ought to have begun this many hours ago. */
async function addRun(scheduleId: string, hoursAgo: number): Promise<string> {
  const id = randomUUID();
  await grounds.sql(
    `insert into schedule_runs (id, schedule_id, planned_time, call_id, trace_parent, state, result, create_time)
     values ($1, $2, now() - make_interval(hours => $3), '', '', 'pending', '', now())`,
    [id, scheduleId, hoursAgo],
  );
  return id;
}
const claim = async ({ scheduleRuns }: Repositories) => (await scheduleRuns.claim(100, randomUUID)).map(({ runId }) => runId);

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
    const first = await addRun(scheduleId, 1);
    const holder = await claimAndHold();
    // As a backfill does, while nobody sees yet that the first one has its job.
    const older = await addRun(scheduleId, 2);
    const byAnother = await uow.run(claim);
    await holder.commit();
    expect([holder.runIds, byAnother, await uow.run(claim)]).toEqual([[first], [], []]);
    await uow.run(async ({ scheduleRuns }) => scheduleRuns.finish(first, 'done', ''));
    expect(await uow.run(claim)).toEqual([older]);
  });

  it('leave that schedule to its holder and get those of the others, without waiting', async () => {
    const busy = await addRun(randomUUID(), 1);
    const holder = await claimAndHold();
    const free = await addRun(randomUUID(), 1);
    const byAnother = await uow.run(claim);
    await holder.commit();
    expect([holder.runIds, byAnother]).toEqual([[busy], [free]]);
  });
});
