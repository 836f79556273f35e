import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { refused } from '#dev/testing';
import { createTask, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

/** Another connection locks the row, so that the call waits in SQL. */
describe('invariant 5: a call that waits for the database', () => {
  let holder: Client;
  // Hooks run in this order: the service drops its database afterwards.
  afterAll(() => holder.end());
  const service = useTasks();
  const [ada] = useUsers(service, 'user');
  beforeAll(async () => {
    holder = new Client({ connectionString: service.databaseUrl });
    await holder.connect();
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
    const call = refused(
      service.tasks.updateTask(update(task.id, { title: 'too late' }), { ...ada.as, timeoutMs: 300 }),
    );
    // A wait for a lock ends a little before the deadline, so that the error can say so.
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
    const call = refused(
      service.tasks.updateTask(update(task.id, { title: 'given up' }), {
        ...ada.as,
        signal: leaving.signal,
      }),
    );
    await untilCount((count) => count > 0);
    leaving.abort();
    expect((await call).kind).toBe('cancelled');
    await untilCount((count) => count === 0);
    await holder.query('rollback');
    expect((await service.tasks.getTask({ taskId: task.id }, ada.as)).task).toEqual(task);
  });
});
