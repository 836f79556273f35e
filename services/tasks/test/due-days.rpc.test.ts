import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from '#contract/tasks/v1/tasks';
import { invalidFields } from '../../test/refusals.ts';
import { anHourAgo, createTask, inAnHour, update } from './factories.ts';
import { startTasks, type TestTasks, type TestUser } from './start-tasks.ts';

const berlin = { dueDate: '2026-03-29', dueZone: 'Europe/Berlin' };

describe('C7 a task that is due on a day', () => {
  let service: TestTasks;
  let owner: TestUser;
  beforeAll(async () => {
    service = await startTasks();
    owner = await service.newUser();
  });
  afterAll(() => service.stop());

  const edit = async (task: Task, fields: Partial<Task>, mask: string[]): Promise<Task> => {
    const answer = await service.tasks.updateTask(update(task.id, fields, mask), owner.as);
    if (answer.task === undefined) throw new Error('the answer has no task');
    return answer.task;
  };
  const dueOf = ({ dueTime, dueDate, dueZone }: Task) => ({ dueTime, dueDate, dueZone });
  const dueVersionOf = async ({ id }: Task): Promise<number> => {
    const [row] = await service.sql<{ due_version: string }>('select due_version from tasks where id = $1', [id]);
    return Number(row?.due_version);
  };

  it.each([
    ['the day that loses an hour', '2026-03-29', 'Europe/Berlin', '2026-03-29T22:00:00Z'],
    ['the day before it', '2026-03-28', 'Europe/Berlin', '2026-03-28T23:00:00Z'],
    ['the day that gains an hour', '2026-10-25', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
    ['the day before that', '2026-10-24', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
    ['a day whose next midnight is skipped', '2018-11-03', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['a day whose last hour comes twice', '2018-02-17', 'America/Sao_Paulo', '2018-02-18T03:00:00Z'],
    ['a day before one that a country left out', '2011-12-29', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['a leap day in a zone of three quarters', '2028-02-29', 'Asia/Kathmandu', '2028-02-29T18:15:00Z'],
    ['the first day of all', '1970-01-01', 'Pacific/Kiritimati', '1970-01-02T10:40:00Z'],
    ['the last day of all', '9999-12-30', 'Etc/GMT+12', '9999-12-31T12:00:00Z'],
  ])('is due at the end of %s', async (_, dueDate, dueZone, expected) => {
    const task = await createTask(service, owner, { dueDate, dueZone });
    expect(dueOf(task)).toEqual({ dueTime: new Date(expected), dueDate, dueZone });
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
  });

  it('is overdue from local midnight on, and swept then', async () => {
    const past = await createTask(service, owner, { dueDate: '2026-03-29', dueZone: 'Europe/Berlin' });
    const future = await createTask(service, owner, { dueDate: '2999-03-29', dueZone: 'Europe/Berlin' });
    expect([past.overdue, future.overdue]).toEqual([true, false]);
    await service.internal.sweepOverdue({ batchSize: 1000 }, await service.asService('scheduler'));
    const events = await service.sql('select 1 from events where type = $1 and subject_id = any($2)', ['TASK_EVENT_TYPE_OVERDUE', [past.id, future.id]]);
    expect(events).toHaveLength(1);
  });

  it('takes the name of a zone in any case and gives it as IANA writes it', async () => {
    expect((await createTask(service, owner, { dueDate: '2026-03-29', dueZone: 'europe/BERLIN' })).dueZone).toBe('Europe/Berlin');
  });

  it.each<[string, Partial<Task>, string[]]>([
    ['an instant as well', { ...berlin, dueTime: inAnHour() }, ['task.due_time']],
    ['a day without a zone', { dueDate: '2026-03-29' }, ['task.due_zone']],
    ['a zone without a day', { dueZone: 'Europe/Berlin' }, ['task.due_zone']],
    ['a day that is not in the calendar', { ...berlin, dueDate: '2026-02-29' }, ['task.due_date']],
    ['a day in another order', { ...berlin, dueDate: '29.03.2026' }, ['task.due_date']],
    ['a day with a time', { ...berlin, dueDate: '2026-03-29T00:00' }, ['task.due_date']],
    ['a day too early', { ...berlin, dueDate: '1969-12-31' }, ['task.due_date']],
    ['a day too late', { ...berlin, dueDate: '9999-12-31' }, ['task.due_date']],
    ['an unknown zone', { ...berlin, dueZone: 'Europe/Atlantis' }, ['task.due_zone']],
    ['an offset for a zone', { ...berlin, dueZone: '+01:00' }, ['task.due_zone']],
    ['a zone as long as a novel', { ...berlin, dueZone: 'E'.repeat(65) }, ['task.due_zone']],
    ['nothing right', { title: '', dueDate: 'x', dueZone: 'y' }, ['task.title', 'task.due_date', 'task.due_zone']],
  ])('is refused with %s', async (_, fields, expected) => {
    expect(await invalidFields(createTask(service, owner, fields))).toEqual(expected);
  });

  describe('when it changes', () => {
    it('moves with its day alone, and with its zone alone', async () => {
      const task = await createTask(service, owner, berlin);
      const day = await edit(task, { dueDate: '2026-10-25' }, ['due_date']);
      expect(dueOf(day)).toEqual({ dueTime: new Date('2026-10-25T23:00:00Z'), dueDate: '2026-10-25', dueZone: 'Europe/Berlin' });
      const zone = await edit(task, { dueZone: 'UTC' }, ['due_zone']);
      expect(dueOf(zone)).toEqual({ dueTime: new Date('2026-10-26T00:00:00Z'), dueDate: '2026-10-25', dueZone: 'UTC' });
      expect(await dueVersionOf(task)).toBe(3);
    });

    it('keeps its due version while its end stays the same moment', async () => {
      const task = await createTask(service, owner, berlin);
      await edit(task, { dueZone: 'Europe/Paris' }, ['due_zone']);
      await edit(task, { dueTime: new Date('2026-03-29T22:00:00Z') }, ['due_time']);
      await edit(task, { ...berlin, title: 'x' }, ['due_date', 'due_zone', 'title']);
      expect(await dueVersionOf(task)).toBe(1);
    });

    it('becomes an instant, and an instant becomes a day', async () => {
      const [instant, none] = [anHourAgo(), { dueTime: undefined, dueDate: '', dueZone: '' }];
      const task = await createTask(service, owner, berlin);
      expect(dueOf(await edit(task, { dueTime: instant }, ['due_time']))).toEqual({ ...none, dueTime: instant });
      expect(dueOf(await edit(task, berlin, ['due_date', 'due_zone', 'due_time']))).toEqual({ ...berlin, dueTime: new Date('2026-03-29T22:00:00Z') });
      expect(dueOf(await edit(task, { dueTime: instant }, ['due_date', 'due_zone', 'due_time']))).toEqual({ ...none, dueTime: instant });
    });

    it('is not due any more when its day or its due time is cleared', async () => {
      const none = { dueTime: undefined, dueDate: '', dueZone: '' };
      for (const mask of [['due_date'], ['due_time'], ['due_date', 'due_zone'], ['due_time', 'due_date', 'due_zone']]) {
        const task = await createTask(service, owner, berlin);
        expect([mask, dueOf(await edit(task, {}, mask))]).toEqual([mask, none]);
        expect(await service.sql('select 1 from task_due where task_id = $1', [task.id])).toEqual([]);
      }
    });

    it('leaves an instant alone when there is no day to clear', async () => {
      const task = await createTask(service, owner, { dueTime: inAnHour() });
      expect(dueOf(await edit(task, {}, ['due_date', 'due_zone']))).toEqual(dueOf(task));
      expect(await dueVersionOf(task)).toBe(1);
    });

    it.each<[string, { before: Partial<Task>; after: Partial<Task> }, string[], string[]]>([
      ['half a day where there was none', { before: {}, after: { dueDate: '2026-03-29' } }, ['due_date'], ['task.due_zone']],
      ['a zone where there is no day', { before: {}, after: { dueZone: 'UTC' } }, ['due_zone'], ['task.due_zone']],
      ['a day without its zone', { before: berlin, after: {} }, ['due_zone'], ['task.due_zone']],
      ['no day, but a zone', { before: berlin, after: { dueZone: 'UTC' } }, ['due_date', 'due_zone'], ['task.due_zone']],
      ['a day and an instant', { before: berlin, after: { ...berlin, dueTime: inAnHour() } }, ['due_time', 'due_date'], ['task.due_time']],
      ['a zone and an instant', { before: berlin, after: { dueZone: 'UTC', dueTime: inAnHour() } }, ['due_time', 'due_zone'], ['task.due_zone']],
    ])('is refused with %s, and nothing is written', async (_, { before, after }, mask, expected) => {
      const task = await createTask(service, owner, before);
      expect(await invalidFields(edit(task, { ...after, title: 'half' }, [...mask, 'title']))).toEqual(expected);
      expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
    });
  });
});
