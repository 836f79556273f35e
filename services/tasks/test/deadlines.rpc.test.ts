import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { refused } from '../../test/refusals.ts';
import { createTask, update } from './factories.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

/** Somebody else holds the row, so that the call waits in SQL for as long as it is let. */
describe('invariant 5: a call that waits for the database', () => {
  let service: TestTasks;
  let ada: TestUser;
  let holder: Client;
  beforeAll(async () => {
    service = await startTasks();
    ada = await service.newUser();
    holder = new Client({ connectionString: service.databaseUrl });
    await holder.connect();
  });
  afterAll(async () => {
    await holder.end();
    await service.stop();
  });

  /** Statements of the service that wait for a lock, and transactions of it that are open. */
  const underWay = () =>
    service.sql<{ state: string }>(
      `select state from pg_stat_activity where datname = current_database() and pid not in ($1, pg_backend_pid()) and (wait_event_type = 'Lock' or state like 'idle in transaction%')`,
      [(holder as unknown as { processID: number }).processID],
    );
  async function untilCount(wanted: (count: number) => boolean): Promise<void> {
    while (!wanted((await underWay()).length)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const hold = async (taskId: string): Promise<void> => {
    await holder.query('begin');
    await holder.query('select 1 from tasks where id = $1 for update', [taskId]);
  };

  it('leaves no SQL running after the deadline of its client, and never commits afterwards', async () => {
    const task = await createTask(service, ada, { title: 'as it was' });
    await hold(task.id);
    const call = refused(service.tasks.updateTask(update(task.id, { title: 'too late' }, ['title']), { ...ada.as, timeoutMs: 300 }));
    // A wait for a lock is given up a little before the deadline, so that it can be told as one.
    expect(['deadline_exceeded', 'aborted']).toContain((await call).kind);
    await untilCount((count) => count === 0);
    await holder.query('rollback');
    const { task: found } = await service.tasks.getTask({ taskId: task.id }, ada.as);
    expect(found).toEqual(task);
  });

  it('stops its SQL when its client gives up, and never commits afterwards', async () => {
    const task = await createTask(service, ada, { title: 'as it was' });
    await hold(task.id);
    const leaving = new AbortController();
    const call = refused(service.tasks.updateTask(update(task.id, { title: 'given up' }, ['title']), { ...ada.as, signal: leaving.signal }));
    await untilCount((count) => count > 0);
    leaving.abort();
    expect((await call).kind).toBe('cancelled');
    await untilCount((count) => count === 0);
    await holder.query('rollback');
    expect((await service.tasks.getTask({ taskId: task.id }, ada.as)).task).toEqual(task);
  });
});
