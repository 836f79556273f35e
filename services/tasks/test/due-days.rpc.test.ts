import { describe, expect, it } from '@jest/globals';
import type { Task } from '#contract/tasks/v1/tasks';
import type { DateMessage } from '#google/type/date';
import { invalidFields } from '#dev/testing';
import { dueAt, dueOn } from './due.ts';
import { anHourAgo, createTask, inAnHour, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const berlin = dueOn('2026-03-29', 'Europe/Berlin');

const dayOf = (date: DateMessage): Task['due'] => ({ $case: 'dueDay', value: { date, timeZone: 'UTC' } });

describe('C7 a task that is due on a day', () => {
  const service = useTasks();
  const [owner] = useUsers(service, 'user');

  const edit = async (task: Task, fields: Partial<Task>, mask: string[]): Promise<Task> => {
    const answer = await service.tasks.updateTask(update(task.id, fields, mask), owner.as);
    if (answer.task === undefined) throw new Error('the answer has no task');
    return answer.task;
  };
  const dueOf = ({ due, effectiveDueTime }: Task) => ({ due, effectiveDueTime });
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
  ])('is due at the end of %s', async (_, day, zone, expected) => {
    const task = await createTask(service, owner, dueOn(day, zone));
    expect(dueOf(task)).toEqual({ ...dueOn(day, zone), effectiveDueTime: new Date(expected) });
    expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
  });

  it('is overdue from local midnight on, and swept then', async () => {
    const past = await createTask(service, owner, dueOn('2026-03-29', 'Europe/Berlin'));
    const future = await createTask(service, owner, dueOn('2999-03-29', 'Europe/Berlin'));
    expect([past.overdue, future.overdue]).toEqual([true, false]);
    await service.sweep({ batchSize: 1000 });
    const events = await service.sql('select 1 from events where type = $1 and subject_id = any($2)', [
      'TASK_EVENT_TYPE_OVERDUE',
      [past.id, future.id],
    ]);
    expect(events).toHaveLength(1);
  });

  it('takes the name of a zone in any case and gives it as IANA writes it', async () => {
    expect((await createTask(service, owner, dueOn('2026-03-29', 'europe/BERLIN'))).due).toEqual(berlin.due);
  });

  it.each<[string, Partial<Task>, string[]]>([
    ['a day without a zone', dueOn('2026-03-29', ''), ['task.due_day.time_zone']],
    ['a zone without a day', { due: { $case: 'dueDay', value: { timeZone: 'UTC' } } }, ['task.due_day.date']],
    ['a day that is not in the calendar', dueOn('2026-02-29', 'UTC'), ['task.due_day.date']],
    ['a month without a day', dueOn('2026-03', 'UTC'), ['task.due_day.date']],
    ['a day without a year', dueOn('0-03-29', 'UTC'), ['task.due_day.date']],
    ['a negative day', { due: dayOf({ year: 2026, month: 3, day: -1 }) }, ['task.due_day.date']],
    ['a year beyond all', { due: dayOf({ year: 2_147_483_647, month: 1, day: 1 }) }, ['task.due_day.date']],
    ['a day too early', dueOn('1969-12-31', 'UTC'), ['task.due_day.date']],
    ['a day too late', dueOn('9999-12-31', 'UTC'), ['task.due_day.date']],
    ['an unknown zone', dueOn('2026-03-29', 'Europe/Atlantis'), ['task.due_day.time_zone']],
    ['an offset for a zone', dueOn('2026-03-29', '+01:00'), ['task.due_day.time_zone']],
    ['a zone as long as a novel', dueOn('2026-03-29', 'E'.repeat(65)), ['task.due_day.time_zone']],
    [
      'nothing right',
      { title: '', ...dueOn('2026-02-29', 'y') },
      ['task.title', 'task.due_day.date', 'task.due_day.time_zone'],
    ],
  ])('is refused with %s', async (_, fields, expected) => {
    expect(await invalidFields(createTask(service, owner, fields))).toEqual(expected);
  });

  it('does not take what only the service says', async () => {
    const task = await createTask(service, owner, { effectiveDueTime: anHourAgo() });
    expect(dueOf(task)).toEqual({ due: undefined, effectiveDueTime: undefined });
    expect(await invalidFields(edit(task, { effectiveDueTime: anHourAgo() }, ['effective_due_time']))).toEqual([
      'update_mask',
    ]);
  });

  describe('when it changes', () => {
    it('moves with its day, and with its zone', async () => {
      const task = await createTask(service, owner, berlin);
      const day = dueOn('2026-10-25', 'Europe/Berlin');
      expect(dueOf(await edit(task, day, ['due_day']))).toEqual({
        ...day,
        effectiveDueTime: new Date('2026-10-25T23:00:00Z'),
      });
      const zone = dueOn('2026-10-25', 'UTC');
      expect(dueOf(await edit(task, zone, ['due_day']))).toEqual({
        ...zone,
        effectiveDueTime: new Date('2026-10-26T00:00:00Z'),
      });
      expect(await dueVersionOf(task)).toBe(3);
    });

    it('keeps its due version while its end stays the same moment', async () => {
      const task = await createTask(service, owner, berlin);
      await edit(task, dueOn('2026-03-29', 'Europe/Paris'), ['due_day']);
      await edit(task, dueAt(new Date('2026-03-29T22:00:00Z')), ['due_time']);
      await edit(task, { ...berlin, title: 'x' }, ['due_day', 'title']);
      expect(await dueVersionOf(task)).toBe(1);
    });

    it('becomes an instant, and an instant becomes a day', async () => {
      const [instant, end] = [anHourAgo(), new Date('2026-03-29T22:00:00Z')];
      const task = await createTask(service, owner, berlin);
      const asInstant = { ...dueAt(instant), effectiveDueTime: instant };
      expect(dueOf(await edit(task, dueAt(instant), ['due_time']))).toEqual(asInstant);
      expect(dueOf(await edit(task, berlin, ['due_day', 'due_time']))).toEqual({ ...berlin, effectiveDueTime: end });
      expect(dueOf(await edit(task, dueAt(instant), ['due_day', 'due_time']))).toEqual(asInstant);
    });

    it('is not due any more when its day or its due time is cleared', async () => {
      for (const mask of [['due_day'], ['due_time'], ['due_time', 'due_day']]) {
        const task = await createTask(service, owner, berlin);
        const cleared = dueOf(await edit(task, {}, mask));
        expect([mask, cleared]).toEqual([mask, { due: undefined, effectiveDueTime: undefined }]);
        expect(await service.sql('select 1 from task_due where task_id = $1', [task.id])).toEqual([]);
      }
    });

    it('leaves an instant alone when there is no day to clear', async () => {
      const task = await createTask(service, owner, dueAt(inAnHour()));
      expect(dueOf(await edit(task, {}, ['due_day']))).toEqual(dueOf(task));
      expect(await dueVersionOf(task)).toBe(1);
    });

    it.each<[string, Partial<Task>, string]>([
      ['half a day', dueOn('2026-03-29', ''), 'task.due_day.time_zone'],
      ['a zone alone', { due: { $case: 'dueDay', value: { timeZone: 'UTC' } } }, 'task.due_day.date'],
    ])('is refused with %s, and nothing is written', async (_, after, expected) => {
      const task = await createTask(service, owner, berlin);
      expect(await invalidFields(edit(task, { ...after, title: 'half' }, ['due_day', 'title']))).toEqual([expected]);
      expect((await service.tasks.getTask({ taskId: task.id }, owner.as)).task).toEqual(task);
    });
  });
});
