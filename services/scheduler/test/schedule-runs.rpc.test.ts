import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import {
  BackfillScheduleRequest,
  type Schedule,
  ScheduleOverlapPolicy,
  ScheduleRunState,
  type ScheduleRun,
} from '#contract/scheduler/v1/scheduler';
import { waitUntil } from '#dev/cluster';
import { refusal } from '#dev/testing';
import { startScheduler } from './start-scheduler.ts';
import { untilRows } from './waiting.ts';
import { cron, interval, schedulesOf } from './schedule-drafts.ts';

const service = await startScheduler();
afterAll(service.stop);
const admin = await service.newUser('admin');
beforeEach(() => service.sql('delete from schedules where not built_in'));

const { create, get } = schedulesOf(service, admin);
/** Only a test's requests give it runs, also when a minute or an hour begins meanwhile. */
const createPaused = async (fields: Partial<Schedule>): Promise<Schedule> => {
  const schedule = await create(fields);
  await service.scheduler.pauseSchedule({ scheduleId: schedule.id }, admin.as);
  return schedule;
};
const listRuns = async (scheduleId: string): Promise<ScheduleRun[]> =>
  (await service.scheduler.listScheduleRuns({ scheduleId }, admin.as)).runs;
/** Sets the next fire time to this many seconds ago. */
const moveBack = (scheduleId: string, seconds: number) =>
  service.sql('update schedules set next_fire_time = date_trunc($3, now() - make_interval(secs => $2)) where id = $1', [
    scheduleId,
    seconds,
    'second',
  ]);

describe('a fire time', () => {
  it('becomes one run, which is done and listed', async () => {
    const { id } = await create();
    await moveBack(id, 0);
    const [run] = await waitUntil(
      () => listRuns(id),
      ([latest]) => latest?.state === ScheduleRunState.SUCCEEDED,
    );
    expect(run).toMatchObject({ scheduleId: id, requesterId: '', result: 'pruned' });
    expect(run?.fireTime).toBeDefined();
    expect(await get(id)).toMatchObject({ lastResult: 'pruned', lastRunFailed: false });
  });

  it('that passed while the scheduler was down gets a run within the window, the oldest first, each once', async () => {
    const { id } = await create({
      ...interval(60n),
      overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL,
      catchUpWindow: { seconds: 7_200n, nanos: 0 },
    });
    await service.sql(
      `update schedules set create_time = create_time - interval '6 hours', next_fire_time = create_time - interval '6 hours' where id = $1`,
      [id],
    );
    await waitUntil(
      () => service.sql<{ state: string }>('select state from schedule_runs where schedule_id = $1', [id]),
      (rows) => rows.length >= 120 && rows.every(({ state }) => state === 'done'),
    );
    const rows = await service.sql<{ fire_time: Date; start_time: Date }>(
      'select fire_time, start_time from schedule_runs where schedule_id = $1 order by start_time',
      [id],
    );
    const fireTimes = rows.map(({ fire_time: fireTime }) => fireTime.getTime());
    expect(fireTimes).toEqual(fireTimes.toSorted((a, b) => a - b));
    expect(new Set(fireTimes).size).toBe(rows.length);
    expect([120, 121, 122]).toContain(rows.length);
    expect((await get(id))?.lastMissedTime?.getTime()).toBeLessThan(Date.now() - 7_200_000);
  });

  it('gets no run while its schedule is paused, nor after that', async () => {
    const { id } = await create(interval(3_600n));
    const { schedule: paused } = await service.scheduler.pauseSchedule({ scheduleId: id }, admin.as);
    expect(paused).toMatchObject({ paused: true, nextRunTime: undefined });
    await service.sql(`update schedules set create_time = create_time - interval '10 hours 30 minutes' where id = $1`, [
      id,
    ]);
    const { schedule: resumed } = await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as);
    expect(resumed?.paused).toBe(false);
    expect(resumed?.nextRunTime?.getTime()).toBeGreaterThan(Date.now());
    expect(await listRuns(id)).toEqual([]);
    expect(await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as)).toEqual({ schedule: resumed });
  });
});

describe('BackfillSchedule', () => {
  const at = (text: string): Date => new Date(`${text}Z`);
  const backfill = (fields: Partial<BackfillScheduleRequest>) =>
    service.scheduler.backfillSchedule(BackfillScheduleRequest.fromPartial(fields), admin.as);
  interface Row {
    fire_time: Date;
    start_time: Date;
    finish_time: Date;
    job_id: string;
  }
  const rowsOf = (scheduleId: string) =>
    service.sql<Row>(
      'select fire_time, start_time, finish_time, job_id from schedule_runs where schedule_id = $1 order by fire_time',
      [scheduleId],
    );
  const ended = (scheduleId: string, count: number) =>
    waitUntil(
      () => service.sql<{ state: string }>('select state from schedule_runs where schedule_id = $1', [scheduleId]),
      (rows) => rows.length === count && rows.every(({ state }) => state === 'done'),
    );
  /** The fire times of another library, from the start on and before the end. */
  const accordingToCronParser = (expression: string, start: Date, end: Date): Date[] => {
    const times = CronExpressionParser.parse(expression, {
      tz: 'Europe/Berlin',
      currentDate: new Date(start.getTime() - 1_000),
    });
    const found: Date[] = [];
    for (let next = times.next().toDate(); next < end; next = times.next().toDate()) found.push(next);
    return found;
  };

  const forward = [
    at('2025-03-28T23:00:00'),
    at('2025-03-31T22:00:00'),
    at('2025-03-29T11:00:00'),
    at('2025-03-29T18:00:00'),
  ] as const;
  const back = [
    at('2025-10-25T23:00:00'),
    at('2025-10-26T03:00:00'),
    at('2025-10-26T00:20:00'),
    at('2025-10-26T01:00:00'),
  ] as const;

  it.each([
    ['forward', '0 */6 * * *', forward],
    ['back', '*/20 * * * *', back],
  ])(
    'fills exactly the gaps of a range in which the clock is set %s, each with one run, never two at once, also while paused',
    async (_name, expression, times) => {
      const [startTime, endTime, from, to] = times;
      const { id } = await createPaused({
        ...cron(expression, 'Europe/Berlin'),
        overlapPolicy: ScheduleOverlapPolicy.SKIP,
      });
      const expected = accordingToCronParser(expression, startTime, endTime);
      const inside = accordingToCronParser(expression, from, to);
      expect(inside.length).toBeGreaterThan(1);

      expect(await backfill({ scheduleId: id, startTime: from, endTime: to })).toEqual({
        createdCount: inside.length,
        existingCount: 0,
      });
      expect(await backfill({ scheduleId: id, startTime, endTime })).toEqual({
        createdCount: expected.length - inside.length,
        existingCount: inside.length,
      });
      await ended(id, expected.length);
      expect(await backfill({ scheduleId: id, startTime, endTime })).toEqual({
        createdCount: 0,
        existingCount: expected.length,
      });

      const rows = await rowsOf(id);
      expect(rows.map((row) => row.fire_time)).toEqual(expected);
      const inTurn = rows.toSorted((a, b) => a.start_time.getTime() - b.start_time.getTime());
      expect(inTurn.slice(1).filter((row, index) => row.start_time < (inTurn[index] as Row).finish_time)).toEqual([]);
      const completed = async () =>
        service.logLines.filter(
          (line) => line.includes('job completed') && rows.some((row) => line.includes(row.job_id)),
        );
      expect(await waitUntil(completed, (lines) => lines.length >= rows.length)).toHaveLength(rows.length);
      expect((await listRuns(id))[0]).toMatchObject({
        fireTime: expected.at(-1),
        requesterId: admin.userId,
        state: ScheduleRunState.SUCCEEDED,
        result: 'pruned',
      });
    },
  );

  it('begins with the oldest', async () => {
    const { id } = await createPaused(cron('0 * * * *'));
    await backfill({ scheduleId: id, startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-01T05:00:00') });
    await ended(id, 5);
    const starts = (await rowsOf(id)).map((row) => row.start_time.getTime());
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  it('skips a fire time that had its tick, and begins where an interval does', async () => {
    const { id } = await create(interval(60n));
    await service.sql(
      `update schedules set create_time = create_time - interval '1 hour', next_fire_time = create_time - interval '1 minute' where id = $1`,
      [id],
    );
    const [ticked] = await waitUntil(
      () => listRuns(id),
      (runs) => runs.some(({ state }) => state === ScheduleRunState.SUCCEEDED),
    );
    const createTime = (await get(id))?.createTime?.getTime() ?? 0;
    expect(ticked?.fireTime).toEqual(new Date(createTime + 59 * 60_000));
    const range = { startTime: new Date(createTime - 3_600_000), endTime: new Date(createTime + 3_600_000) };
    expect(await backfill({ scheduleId: id, ...range })).toEqual({ createdCount: 58, existingCount: 1 });
    expect((await rowsOf(id))[0]?.fire_time).toEqual(new Date(createTime + 60_000));
    await untilRows(service, 0, "select 1 from schedule_runs where schedule_id = $1 and state <> 'done'", [id]);
  });

  it('accepts 1000 fire times and not one more, and says where they end', async () => {
    const { id } = await createPaused(cron('* * * * *'));
    const startTime = at('2025-06-01T00:00:00');
    const limit = at('2025-06-01T16:40:00');
    const error = await refusal(backfill({ scheduleId: id, startTime, endTime: new Date(limit.getTime() + 1) }));
    expect(error).toMatchObject({
      kind: 'invalid_argument',
      reason: 'INVALID_FIELD',
      details: { violations: [{ field: 'end_time' }] },
    });
    expect(error.details.violations?.[0]?.description).toMatch(
      /^must be at most 2025-06-01T16:40:00\.000Z: .*1000 fire times/,
    );
    expect(await backfill({ scheduleId: id, startTime, endTime: limit, validateOnly: true })).toEqual({
      createdCount: 1_000,
      existingCount: 0,
    });
    expect(await listRuns(id)).toEqual([]);
    const { events } = await service.audit.listAuditEvents({ action: 'BackfillSchedule', targetId: id }, admin.as);
    expect(events).toEqual([]);
  });

  it('gives the same answer to one request id, and refuses another range under it', async () => {
    const { id } = await create(cron('0 * * * *', 'Europe/Berlin'));
    const request = {
      scheduleId: id,
      startTime: at('2025-06-01T00:00:00'),
      endTime: at('2025-06-01T02:00:00'),
      requestId: randomUUID(),
    };
    const answers = await Promise.all([1, 2, 3].map(() => backfill(request)));
    expect(answers).toEqual(answers.map(() => ({ createdCount: 2, existingCount: 0 })));
    expect(await refusal(backfill({ ...request, endTime: at('2025-06-01T03:00:00') }))).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it.each<[string, Partial<BackfillScheduleRequest>, string[]]>([
    ['no range', { startTime: undefined, endTime: undefined }, ['end_time', 'start_time']],
    ['a range that ends before it begins', { endTime: at('2025-05-31T00:00:00') }, ['end_time']],
    ['an empty range', { endTime: at('2025-06-01T00:00:00') }, ['end_time']],
    ['a range that is not over', { endTime: new Date(Date.now() + 3_600_000) }, ['end_time']],
    ['a time before 1970', { startTime: new Date(-1) }, ['start_time']],
    ['no id, and a request id with a space', { scheduleId: '', requestId: 'a b' }, ['request_id', 'schedule_id']],
  ])('refuses %s', async (_name, fields, expected) => {
    const error = await refusal(
      backfill({
        scheduleId: 'pruning',
        startTime: at('2025-06-01T00:00:00'),
        endTime: at('2025-06-02T00:00:00'),
        ...fields,
      }),
    );
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(expected);
  });

  it('refuses an unknown schedule', async () => {
    const request = { scheduleId: 'nowhere', startTime: at('2025-06-01T00:00:00'), endTime: at('2025-06-02T00:00:00') };
    expect(await refusal(backfill(request))).toMatchObject({
      kind: 'not_found',
      reason: 'SCHEDULE_NOT_FOUND',
      details: { resource: { type: 'schedule', name: 'nowhere' } },
    });
  });
});
