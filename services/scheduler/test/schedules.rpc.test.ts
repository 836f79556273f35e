import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import { BackfillScheduleRequest, Schedule, ScheduleOverlapPolicy, ScheduleRunState, type ScheduleRun } from '#contract/scheduler/v1/scheduler';
import { until } from '#libs/devcluster';
import { refusal } from '../../test/refusals.ts';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

let service: TestScheduler;
let user: TestUser;
let admin: TestUser;
beforeAll(async () => {
  service = await startScheduler();
  [user, admin] = await Promise.all([service.newUser(), service.newUser('admin')]);
});
afterAll(() => service?.stop());
beforeEach(() => service.sql('delete from schedules where not built_in'));

const newId = (): string => `s-${randomUUID()}`;
const draftOf = (fields: Partial<Schedule> = {}) => Schedule.fromPartial({ id: newId(), job: 'prune-records', cron: '30 9 * * MON-FRI', timeZone: 'Europe/Berlin', ...fields });
const create = async (fields: Partial<Schedule> = {}, extras = {}): Promise<Schedule> => {
  const { schedule } = await service.scheduler.createSchedule({ schedule: draftOf(fields), ...extras }, admin.as);
  if (schedule === undefined) throw new Error('the answer has no schedule');
  return schedule;
};
/** It has no run but those that a test asks for, also when a minute or an hour begins meanwhile. */
const createPaused = async (fields: Partial<Schedule>): Promise<Schedule> => {
  const schedule = await create(fields);
  await service.scheduler.pauseSchedule({ scheduleId: schedule.id }, admin.as);
  return schedule;
};
const get = async (scheduleId: string) => (await service.scheduler.getSchedule({ scheduleId }, admin.as)).schedule;
const listRuns = async (scheduleId: string): Promise<ScheduleRun[]> => (await service.scheduler.listScheduleRuns({ scheduleId }, admin.as)).runs;
/** Makes the next fire time so many seconds ago. */
const moveBack = (scheduleId: string, seconds: number) =>
  service.sql('update schedules set next_fire_time = date_trunc($3, now() - make_interval(secs => $2)) where id = $1', [scheduleId, seconds, 'second']);

describe('CreateSchedule', () => {
  it('records what was asked for, with the defaults filled in', async () => {
    const schedule = await create({ description: ' Every morning ' });
    expect(schedule).toMatchObject({
      description: 'Every morning',
      job: 'prune-records',
      cron: '30 9 * * MON-FRI',
      timeZone: 'Europe/Berlin',
      interval: undefined,
      overlapPolicy: ScheduleOverlapPolicy.SKIP,
      catchUpWindow: { seconds: 3_600n, nanos: 0 },
      builtIn: false,
      paused: false,
      creatorId: admin.userId,
    });
    expect(schedule.nextRunTime?.getTime()).toBeGreaterThan(Date.now());
    expect(await get(schedule.id)).toEqual(schedule);
  });

  it('gives one schedule to one request id, and refuses another request under it', async () => {
    const request = { schedule: draftOf(), requestId: randomUUID() };
    const answers = await Promise.all([1, 2, 3].map(() => service.scheduler.createSchedule(request, admin.as)));
    expect(new Set(answers.map(({ schedule }) => schedule?.createTime?.getTime())).size).toBe(1);
    const other = { ...request, schedule: draftOf() };
    expect(await refusal(service.scheduler.createSchedule(other, admin.as))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('refuses an id that is taken', async () => {
    const { id } = await create();
    expect(await refusal(create({ id }))).toMatchObject({ kind: 'already_exists', reason: 'SCHEDULE_EXISTS', details: { resource: { type: 'schedule', name: id } } });
  });

  it('with validate_only gives the same answer and writes nothing', async () => {
    const schedule = await create({}, { validateOnly: true });
    expect(schedule.nextRunTime).toBeDefined();
    expect(await refusal(service.scheduler.getSchedule({ scheduleId: schedule.id }, admin.as))).toMatchObject({ reason: 'SCHEDULE_NOT_FOUND' });
    expect(await service.sql('select 1 from admin_actions where subject = $1', [schedule.id])).toEqual([]);
  });

  it('names every field that breaks its rule', async () => {
    const bad = { id: 'No Spaces', job: 'format-disk', cron: '61 * * * *', timeZone: 'Mars/Olympus', catchUpWindow: { seconds: 1n, nanos: 0 }, overlapPolicy: 9 as unknown as ScheduleOverlapPolicy };
    const error = await refusal(service.scheduler.createSchedule({ schedule: Schedule.fromPartial(bad), requestId: 'no spaces' }, admin.as));
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(
      ['request_id', 'schedule.catch_up_window', 'schedule.cron', 'schedule.id', 'schedule.job', 'schedule.overlap_policy', 'schedule.time_zone'],
    );
  });

  it.each<[string, Partial<Schedule>, string[]]>([
    ['neither of them', { cron: '', timeZone: '' }, ['schedule.cron']],
    ['both', { interval: { seconds: 60n, nanos: 0 }, timeZone: '' }, ['schedule.interval']],
    ['an interval with a zone', { cron: '', interval: { seconds: 60n, nanos: 0 } }, ['schedule.time_zone']],
    ['an interval that is no whole second', { cron: '', timeZone: '', interval: { seconds: 60n, nanos: 1 } }, ['schedule.interval']],
  ])('wants exactly one of cron and interval: not %s', async (_name, fields, expected) => {
    const error = await refusal(create(fields));
    expect(error.details.violations?.map(({ field }) => field)).toEqual(expected);
  });

  it('stops at 100 schedules', async () => {
    const { id } = await create();
    await service.sql(`insert into schedules select ('copy-' || n) as id, description, interval_ms, last_run_time, last_result, last_run_failed, job, cron, time_zone,
      overlap_policy, catch_up_window_ms, false, creator_id, create_time, true, null, null from schedules, generate_series(1, 97) n where id = $1`, [id]);
    expect(await refusal(create())).toMatchObject({ kind: 'failed_precondition', reason: 'TOO_MANY_SCHEDULES' });
  });
});

describe('a fire time', () => {
  it('becomes one run, which is done and listed', async () => {
    const { id } = await create();
    await moveBack(id, 0);
    const [run] = await until(() => listRuns(id), ([latest]) => latest?.state === ScheduleRunState.SUCCEEDED);
    expect(run).toMatchObject({ scheduleId: id, requesterId: '', result: 'pruned' });
    expect(run?.fireTime).toBeDefined();
    expect(await get(id)).toMatchObject({ lastResult: 'pruned', lastRunFailed: false });
  });

  it('that came while the scheduler was down is made up for within the window, the oldest first, each once', async () => {
    const { id } = await create({ cron: '', timeZone: '', interval: { seconds: 60n, nanos: 0 }, overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL, catchUpWindow: { seconds: 7_200n, nanos: 0 } });
    await service.sql(`update schedules set create_time = create_time - interval '6 hours', next_fire_time = create_time - interval '6 hours' where id = $1`, [id]);
    await until(() => service.sql<{ state: string }>('select state from schedule_runs where schedule_id = $1', [id]), (rows) => rows.length >= 120 && rows.every(({ state }) => state === 'done'));
    const rows = await service.sql<{ fire_time: Date; start_time: Date }>('select fire_time, start_time from schedule_runs where schedule_id = $1 order by start_time', [id]);
    const fireTimes = rows.map(({ fire_time: fireTime }) => fireTime.getTime());
    expect(fireTimes).toEqual(fireTimes.toSorted((a, b) => a - b));
    expect(new Set(fireTimes).size).toBe(rows.length);
    expect([120, 121, 122]).toContain(rows.length);
    expect((await get(id))?.lastMissedTime?.getTime()).toBeLessThan(Date.now() - 7_200_000);
  });

  it('has no part in a paused schedule, and those of the pause are not made up for', async () => {
    const { id } = await create({ cron: '', timeZone: '', interval: { seconds: 3_600n, nanos: 0 } });
    const { schedule: paused } = await service.scheduler.pauseSchedule({ scheduleId: id }, admin.as);
    expect(paused).toMatchObject({ paused: true, nextRunTime: undefined });
    await service.sql(`update schedules set create_time = create_time - interval '10 hours 30 minutes' where id = $1`, [id]);
    const { schedule: resumed } = await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as);
    expect(resumed?.paused).toBe(false);
    expect(resumed?.nextRunTime?.getTime()).toBeGreaterThan(Date.now());
    expect(await listRuns(id)).toEqual([]);
    expect(await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as)).toEqual({ schedule: resumed });
  });
});

describe('BackfillSchedule', () => {
  const at = (text: string): Date => new Date(`${text}Z`);
  const backfill = (fields: Partial<BackfillScheduleRequest>) => service.scheduler.backfillSchedule(BackfillScheduleRequest.fromPartial(fields), admin.as);
  interface Row {
    fire_time: Date;
    start_time: Date;
    finish_time: Date;
    job_id: string;
  }
  const rowsOf = (scheduleId: string) => service.sql<Row>('select fire_time, start_time, finish_time, job_id from schedule_runs where schedule_id = $1 order by fire_time', [scheduleId]);
  const ended = (scheduleId: string, count: number) =>
    until(() => service.sql<{ state: string }>('select state from schedule_runs where schedule_id = $1', [scheduleId]), (rows) => rows.length === count && rows.every(({ state }) => state === 'done'));
  /** What another library has from the start on and before the end. */
  const accordingToCronParser = (cron: string, start: Date, end: Date): Date[] => {
    const times = CronExpressionParser.parse(cron, { tz: 'Europe/Berlin', currentDate: new Date(start.getTime() - 1_000) });
    const found: Date[] = [];
    for (let next = times.next().toDate(); next < end; next = times.next().toDate()) found.push(next);
    return found;
  };

  const forward = [at('2025-03-28T23:00:00'), at('2025-03-31T22:00:00'), at('2025-03-29T11:00:00'), at('2025-03-29T18:00:00')] as const;
  const back = [at('2025-10-25T23:00:00'), at('2025-10-26T03:00:00'), at('2025-10-26T00:20:00'), at('2025-10-26T01:00:00')] as const;

  it.each([
    ['forward', '0 */6 * * *', forward],
    ['back', '*/20 * * * *', back],
  ])('fills exactly the gaps of a range in which the clock is set %s, each with one run, never two at once, also while paused', async (_name, cron, times) => {
    const [startTime, endTime, from, to] = times;
    const { id } = await createPaused({ cron, overlapPolicy: ScheduleOverlapPolicy.SKIP });
    const expected = accordingToCronParser(cron, startTime, endTime);
    const inside = accordingToCronParser(cron, from, to);
    expect(inside.length).toBeGreaterThan(1);

    expect(await backfill({ scheduleId: id, startTime: from, endTime: to })).toEqual({ created: inside.length, existing: 0 });
    expect(await backfill({ scheduleId: id, startTime, endTime })).toEqual({ created: expected.length - inside.length, existing: inside.length });
    await ended(id, expected.length);
    expect(await backfill({ scheduleId: id, startTime, endTime })).toEqual({ created: 0, existing: expected.length });

    const rows = await rowsOf(id);
    expect(rows.map((row) => row.fire_time)).toEqual(expected);
    const inTurn = rows.toSorted((a, b) => a.start_time.getTime() - b.start_time.getTime());
    expect(inTurn.slice(1).filter((row, index) => row.start_time < (inTurn[index] as Row).finish_time)).toEqual([]);
    const completed = async () => service.logLines.filter((line) => line.includes('job completed') && rows.some((row) => line.includes(row.job_id)));
    expect(await until(completed, (lines) => lines.length >= rows.length)).toHaveLength(rows.length);
    expect((await listRuns(id))[0]).toMatchObject({ fireTime: expected.at(-1), requesterId: admin.userId, state: ScheduleRunState.SUCCEEDED, result: 'pruned' });
  });

  it('begins with the oldest', async () => {
    const { id } = await createPaused({ cron: '0 * * * *', timeZone: '' });
    await backfill({ scheduleId: id, startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-01T05:00:00') });
    await ended(id, 5);
    const starts = (await rowsOf(id)).map((row) => row.start_time.getTime());
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  it('leaves a fire time alone that has had its tick, and begins where an interval does', async () => {
    const { id } = await create({ cron: '', timeZone: '', interval: { seconds: 60n, nanos: 0 } });
    await service.sql(`update schedules set create_time = create_time - interval '1 hour', next_fire_time = create_time - interval '1 minute' where id = $1`, [id]);
    const [ticked] = await until(() => listRuns(id), (runs) => runs.some(({ state }) => state === ScheduleRunState.SUCCEEDED));
    const createTime = (await get(id))?.createTime?.getTime() ?? 0;
    expect(ticked?.fireTime).toEqual(new Date(createTime + 59 * 60_000));
    const range = { startTime: new Date(createTime - 3_600_000), endTime: new Date(createTime + 3_600_000) };
    expect(await backfill({ scheduleId: id, ...range })).toEqual({ created: 58, existing: 1 });
    expect((await rowsOf(id))[0]?.fire_time).toEqual(new Date(createTime + 60_000));
    await until(() => service.sql("select 1 from schedule_runs where schedule_id = $1 and state <> 'done'", [id]), (rows) => rows.length === 0);
  });

  it('takes 1000 fire times and not one more, and says up to where they go', async () => {
    const { id } = await createPaused({ cron: '* * * * *', timeZone: '' });
    const startTime = at('2025-06-01T00:00:00');
    const limit = at('2025-06-01T16:40:00');
    const error = await refusal(backfill({ scheduleId: id, startTime, endTime: new Date(limit.getTime() + 1) }));
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD', details: { violations: [{ field: 'end_time' }] } });
    expect(error.details.violations?.[0]?.description).toMatch(/^must be at most 2025-06-01T16:40:00\.000Z: .*1000 fire times/);
    expect(await backfill({ scheduleId: id, startTime, endTime: limit, validateOnly: true })).toEqual({ created: 1_000, existing: 0 });
    expect(await listRuns(id)).toEqual([]);
    expect(await service.sql("select 1 from admin_actions where action = 'BackfillSchedule' and subject = $1", [id])).toEqual([]);
  });

  it('gives the same answer to one request id, and refuses another range under it', async () => {
    const { id } = await create({ cron: '0 * * * *' });
    const request = { scheduleId: id, startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-01T02:00:00'), requestId: randomUUID() };
    const answers = await Promise.all([1, 2, 3].map(() => backfill(request)));
    expect(answers).toEqual(answers.map(() => ({ created: 2, existing: 0 })));
    expect(await refusal(backfill({ ...request, endTime: at('2025-06-01T03:00:00') }))).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it.each<[string, Partial<BackfillScheduleRequest>, string[]]>([
    ['no range', { startTime: undefined, endTime: undefined }, ['end_time', 'start_time']],
    ['a range that ends before it begins', { endTime: at('2025-05-31T00:00:00') }, ['end_time']],
    ['an empty range', { endTime: at('2025-06-01T00:00:00') }, ['end_time']],
    ['a range that is not over', { endTime: new Date(Date.now() + 3_600_000) }, ['end_time']],
    ['a time before 1970', { startTime: new Date(-1) }, ['start_time']],
    ['no id, and a request id with a space', { scheduleId: '', requestId: 'a b' }, ['request_id', 'schedule_id']],
  ])('refuses %s', async (_name, fields, expected) => {
    const error = await refusal(backfill({ scheduleId: 'pruning', startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-02T00:00:00'), ...fields }));
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(expected);
  });

  it('refuses a schedule that is not there', async () => {
    const request = { scheduleId: 'nowhere', startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-02T00:00:00') };
    expect(await refusal(backfill(request))).toMatchObject({ kind: 'not_found', reason: 'SCHEDULE_NOT_FOUND', details: { resource: { type: 'schedule', name: 'nowhere' } } });
  });
});

describe('DeleteSchedule', () => {
  it('removes the schedule with its runs, once for a request id', async () => {
    const { id } = await create();
    await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.deleteSchedule({ scheduleId: id, validateOnly: true }, admin.as);
    expect((await get(id))?.id).toBe(id);
    const request = { scheduleId: id, requestId: randomUUID() };
    await service.scheduler.deleteSchedule(request, admin.as);
    await service.scheduler.deleteSchedule(request, admin.as);
    expect(await refusal(service.scheduler.deleteSchedule({ scheduleId: id }, admin.as))).toMatchObject({ reason: 'SCHEDULE_NOT_FOUND' });
    expect(await service.sql('select 1 from schedule_runs where schedule_id = $1', [id])).toEqual([]);
  });

  it('leaves what is built in, which may be paused', async () => {
    expect(await refusal(service.scheduler.deleteSchedule({ scheduleId: 'overdue-sweep' }, admin.as))).toMatchObject({ kind: 'failed_precondition', reason: 'SCHEDULE_BUILT_IN' });
    await service.scheduler.pauseSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
    expect(await get('overdue-sweep')).toMatchObject({ paused: true, builtIn: true });
    await service.scheduler.resumeSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
  });
});

describe('lists', () => {
  it('come in pages without loss or repetition', async () => {
    const ids = (await Promise.all(Array.from({ length: 5 }, () => create()))).map(({ id }) => id);
    const found: string[] = [];
    for (let pageToken = ''; ; ) {
      const page = await service.scheduler.listSchedules({ pageSize: 2, pageToken }, admin.as);
      found.push(...page.schedules.map(({ id }) => id));
      if ((pageToken = page.nextPageToken) === '') break;
    }
    expect(found).toEqual([...ids, 'overdue-sweep', 'pruning'].sort());

    const id = ids[0] as string;
    const asked = await Promise.all(Array.from({ length: 5 }, async () => (await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as)).runId));
    const first = await service.scheduler.listScheduleRuns({ scheduleId: id, pageSize: 3 }, admin.as);
    const second = await service.scheduler.listScheduleRuns({ scheduleId: id, pageSize: 3, pageToken: first.nextPageToken }, admin.as);
    expect([...first.runs, ...second.runs].map((run) => run.id).sort()).toEqual(asked.sort());
    expect(first.runs[0]).toMatchObject({ requesterId: admin.userId, fireTime: undefined });
    expect(second.nextPageToken).toBe('');
    const foreign = service.scheduler.listScheduleRuns({ scheduleId: ids[1] as string, pageToken: first.nextPageToken }, admin.as);
    expect(await refusal(foreign)).toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
  });
});

describe('PreviewSchedule', () => {
  it('tells fire times over a change of the clock', async () => {
    const { fireTimes } = await service.scheduler.previewSchedule({ cron: '0 9 * * *', timeZone: 'Europe/Berlin', startTime: new Date('2026-03-27T12:00:00Z'), count: 3 }, admin.as);
    expect(fireTimes.map((time) => time.toISOString())).toEqual(['2026-03-28T08:00:00.000Z', '2026-03-29T07:00:00.000Z', '2026-03-30T07:00:00.000Z']);
  });

  it('gives ten unless asked, and refuses what CreateSchedule refuses', async () => {
    expect((await service.scheduler.previewSchedule({ interval: { seconds: 60n, nanos: 0 } }, admin.as)).fireTimes).toHaveLength(10);
    const error = await refusal(service.scheduler.previewSchedule({ cron: '* * *', timeZone: 'Nowhere', count: 101, startTime: new Date(-1) }, admin.as));
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(['count', 'cron', 'start_time', 'time_zone']);
  });
});

describe('what administrators do', () => {
  it('is recorded and logged', async () => {
    const { id } = await create();
    await service.scheduler.pauseSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.backfillSchedule({ scheduleId: id, startTime: new Date('2025-06-02'), endTime: new Date('2025-06-03') }, admin.as);
    await service.scheduler.deleteSchedule({ scheduleId: id }, admin.as);
    const actions = await service.sql('select actor_id, action from admin_actions where subject = $1 order by id', [id]);
    expect(actions).toEqual(['CreateSchedule', 'PauseSchedule', 'ResumeSchedule', 'TriggerSchedule', 'BackfillSchedule', 'DeleteSchedule'].map((action) => ({ actor_id: admin.userId, action })));
    expect(service.logLines.filter((line) => line.includes('administrator acted') && line.includes(id))).toHaveLength(6);
  });

  it('is for administrators only', async () => {
    expect(await refusal(service.scheduler.createSchedule({ schedule: draftOf() }, user.as))).toMatchObject({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
    const range = { startTime: new Date('2025-06-02'), endTime: new Date('2025-06-03') };
    expect(await refusal(service.scheduler.backfillSchedule({ scheduleId: 'pruning', ...range }, user.as))).toMatchObject({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
  });
});
