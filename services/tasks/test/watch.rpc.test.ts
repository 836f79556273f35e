import { describe, expect, it } from '@jest/globals';
import { TaskEventType, TaskStatus } from '#contract/tasks/v1/tasks';
import { refused } from '#dev/testing';
import { anHourAgo, createTask, update } from './factories.ts';
import { events, watch } from './mirror.ts';
import { startTasks, useTasks, useUsers, type TestUser } from './start-tasks.ts';
import { dueAt } from './due.ts';

describe('WatchTasks', () => {
  const service = useTasks({ heartbeatMs: 1000 });
  const [owner, other] = useUsers(service, 'user', 'user');

  it('Q8 tells every write of the own tasks within a second of its commit, and to nobody else', async () => {
    const [mine, theirs] = [await watch(service, owner), await watch(service, other)];
    const task = await createTask(service, owner, { ...dueAt(anHourAgo()) });
    const begun = mine.news.length;
    await mine.until(() => events(mine).some(({ taskId }) => taskId === task.id));
    // A heartbeat comes after every second without news.
    expect(mine.news.slice(begun).filter(({ event }) => event === undefined).length).toBeLessThanOrEqual(1);
    await service.tasks.updateTask(update(task.id, { status: TaskStatus.IN_PROGRESS }), owner.as);
    await service.sweep();
    await service.tasks.deleteTask({ taskId: task.id }, owner.as);
    await service.tasks.undeleteTask({ taskId: task.id }, owner.as);
    await mine.until(() => events(mine).length === 5);

    expect(
      mine.news
        .filter(({ event }) => event !== undefined)
        .map(({ event, removed }) => [event?.type, event?.taskVersion, removed]),
    ).toEqual([
      [TaskEventType.CREATED, 1n, false],
      [TaskEventType.UPDATED, 2n, false],
      [TaskEventType.OVERDUE, 2n, false],
      [TaskEventType.DELETED, 3n, true],
      [TaskEventType.UNDELETED, 4n, false],
    ]);
    expect(events(mine)[0]?.change?.after).toEqual(task);
    // Dense numbers prove that nothing is missing.
    expect(events(mine).map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n, 4n, 5n]);
    expect(events(theirs)).toEqual([]);
    await Promise.all([mine.stop(), theirs.stop()]);
  });

  it('Q8 goes on from a resume token with every event once, also from an event in the middle', async () => {
    const user = await service.newUser();
    const first = await watch(service, user);
    for (let number = 0; number < 130; number += 1) await createTask(service, user, { title: `task ${number}` });
    await first.until(() => events(first).length === 130);
    await first.stop();
    const [, middle] = first.news.filter(({ event }) => event !== undefined && event.sequence >= 9n);

    const second = await watch(service, user, middle?.resumeToken);
    await second.until(() => events(second).length === 120);
    await createTask(service, user);
    await second.until(() => events(second).length === 121);
    expect(events(second).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 121 }, (_, index) => BigInt(index + 11)),
    );
    await second.stop();
  });

  it('Q8 sends a heartbeat at once and at least every 10 seconds, whose token leads on', async () => {
    const usual = await startTasks();
    const user = await usual.newUser();
    const watching = await watch(usual, user);
    const started = Date.now();
    await watching.until(() => watching.news.length === 2);
    expect(Date.now() - started).toBeLessThan(10_000);
    await watching.stop();
    const task = await createTask(usual, user);
    const again = await watch(usual, user, watching.resumeToken);
    await again.until(() => events(again).length === 1);
    expect(events(again)[0]?.taskId).toBe(task.id);
    await again.stop();
    await usual.stop();
  });

  it('refuses tokens that are damaged or of somebody else', async () => {
    const watching = await watch(service, owner);
    await watching.stop();
    const token = watching.resumeToken;
    const damaged = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`;
    const begin = (resumeToken: string, user: TestUser) => service.tasks.watchTasks({ resumeToken }, user.as).next();
    const sync = (syncToken: string, user: TestUser) => service.tasks.syncTasks({ syncToken }, user.as);
    for (const call of [
      begin(damaged, owner),
      begin('x', owner),
      begin(token, other),
      sync(damaged, owner),
      sync(token, other),
    ]) {
      expect(await refused(call)).toEqual({ kind: 'invalid_argument', reason: 'RESUME_TOKEN_INVALID' });
    }
  });

  it('ends with UNAVAILABLE / SHUTTING_DOWN when the service stops', async () => {
    // A stream that held the service up would do so for longer than this test may take.
    const stopping = await startTasks({ config: { shutdownGraceMs: 600_000 } });
    const user = await stopping.newUser();
    const watching = await watch(stopping, user);
    const end = refused(watching.until(() => false));
    await stopping.stop();
    expect(await end).toEqual({ kind: 'unavailable', reason: 'SHUTTING_DOWN' });
  });

  it('ends with UNAVAILABLE when the log cannot be read any more', async () => {
    const cut = await startTasks();
    const watching = await watch(cut, await cut.newUser());
    const end = refused(watching.until(() => false));
    await cut.cutDatabase();
    expect(await end).toEqual({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await cut.stop();
  });
});
