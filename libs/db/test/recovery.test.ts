import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database, UnitOfWork } from '#libs/db';
import { createDatabase, startInfrastructure, type Infrastructure } from '#dev/cluster';
import { createBarrier, notes, openNotes, type Notes } from './fixture/notes.ts';

/** Has a PostgreSQL of its own, because it is stopped and started. */
describe('invariant 3: after a failure of PostgreSQL', () => {
  const poolSize = 4;
  let infrastructure: Infrastructure;
  let database: Database;
  let uow: UnitOfWork<Notes>;
  beforeAll(async () => {
    infrastructure = await startInfrastructure();
    const { url } = await createDatabase(infrastructure.postgresAdminUrl);
    database = await openNotes(url, poolSize);
    uow = database.unitOfWork(notes);
  });
  afterAll(async () => {
    await database.close();
    await infrastructure.stop();
  });

  const read = () => database.reader.query({ name: 'read', text: 'select 1 as one' }, []);
  /** Uses every connection of the pool at the same time, which fails if one has leaked. */
  async function useWholePool(): Promise<void> {
    const barrier = createBarrier(poolSize);
    await Promise.all(Array.from({ length: poolSize }, () => uow.run(barrier)));
  }

  it('the pool serves at once when the server is back, without a restart of ours', async () => {
    for (const mode of ['fast', 'immediate', 'fast'] as const) {
      await useWholePool();
      await infrastructure.restartPostgres(mode);
      await uow.run(async (repositories) => repositories.add(`after ${mode} ${Math.random()}`));
      await read();
      await useWholePool();
    }
  });

  it('work that was under way is UNAVAILABLE, and its connections are not lost', async () => {
    await useWholePool();
    const restarted = Promise.withResolvers<void>();
    const barrier = createBarrier(poolSize + 1);
    const works = Array.from({ length: poolSize }, (_, index) =>
      uow
        .run(async (repositories) => {
          repositories.add(`interrupted ${index}`);
          await repositories.em.flush();
          await barrier();
          await restarted.promise;
        })
        .catch((error: unknown) => error),
    );
    await barrier();
    await infrastructure.restartPostgres('immediate');
    restarted.resolve();
    for (const outcome of await Promise.all(works))
      expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await useWholePool();
  });

  it('calls while the server is away are UNAVAILABLE without waiting for it, and no connection is lost by them', async () => {
    await infrastructure.stopPostgres();
    // A call that waits in vain for a connection of the pool ends as OVERLOADED.
    const unavailable = {
      kind: 'unavailable',
      reason: 'DATABASE_UNAVAILABLE',
      details: { retryAfterMs: expect.any(Number) },
    };
    for (let round = 0; round < 3 * poolSize; round += 1) {
      await expect(uow.run(async () => undefined)).rejects.toMatchObject(unavailable);
      await expect(read()).rejects.toMatchObject(unavailable);
      await expect(database.check()).rejects.toMatchObject(unavailable);
    }
    await infrastructure.startPostgres();
    await useWholePool();
    await database.check();
  });

  it('invariant 9: the check does not wait behind calls while the server answers them', async () => {
    await database.check();
    const checkEnded = Promise.withResolvers<void>();
    const barrier = createBarrier(poolSize + 1);
    const holding = Array.from({ length: poolSize }, () =>
      uow.run(async () => {
        await barrier();
        await checkEnded.promise;
      }),
    );
    await barrier();
    const waiting = read();
    let checked = false;
    const checking = database.check().then(() => (checked = true));
    // The check needs no connection, so it ends before one is returned.
    await new Promise((resolve) => setImmediate(resolve));
    expect(checked).toBe(true);
    checkEnded.resolve();
    await Promise.all([...holding, waiting, checking]);
  });
});
