import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTargetKind } from '#contract/audit/v1/audit';
import { Schedule, ScheduleJob, ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import { refusal } from '#dev/testing';
import { startScheduler } from './start-scheduler.ts';
import { cron, draftOf, interval, schedulesOf } from './schedule-drafts.ts';

const service = await startScheduler();
afterAll(service.stop);
const [user, admin] = await Promise.all([service.newUser(), service.newUser('admin')]);
beforeEach(() => service.sql('delete from schedules where not built_in'));

const { create, get } = schedulesOf(service, admin);

describe('CreateSchedule', () => {
  it('records what was asked for, with the defaults filled in', async () => {
    const schedule = await create({ description: ' Every morning ' });
    expect(schedule).toMatchObject({
      description: 'Every morning',
      job: ScheduleJob.PRUNE_RECORDS,
      ...cron('30 9 * * MON-FRI', 'Europe/Berlin'),
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
    expect(await refusal(service.scheduler.createSchedule(other, admin.as))).toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it('refuses an id that is taken', async () => {
    const { id } = await create();
    expect(await refusal(create({ id }))).toMatchObject({
      kind: 'already_exists',
      reason: 'SCHEDULE_EXISTS',
      details: { resource: { type: 'schedule', name: id } },
    });
  });

  it('with validate_only gives the same answer and writes nothing', async () => {
    const schedule = await create({}, { validateOnly: true });
    expect(schedule.nextRunTime).toBeDefined();
    expect(await refusal(service.scheduler.getSchedule({ scheduleId: schedule.id }, admin.as))).toMatchObject({
      reason: 'SCHEDULE_NOT_FOUND',
    });
    expect((await service.audit.listAuditEvents({ targetId: schedule.id }, admin.as)).events).toEqual([]);
  });

  it('names every field that breaks its rule', async () => {
    const bad = {
      id: 'No Spaces',
      job: 9 as unknown as ScheduleJob,
      ...cron('61 * * * *', 'Mars/Olympus'),
      catchUpWindow: { seconds: 1n, nanos: 0 },
      overlapPolicy: 9 as unknown as ScheduleOverlapPolicy,
    };
    const error = await refusal(
      service.scheduler.createSchedule({ schedule: Schedule.fromPartial(bad), requestId: 'no spaces' }, admin.as),
    );
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual([
      'request_id',
      'schedule.catch_up_window',
      'schedule.cron.expression',
      'schedule.cron.time_zone',
      'schedule.id',
      'schedule.job',
      'schedule.overlap_policy',
    ]);
  });

  it.each<[string, Partial<Schedule>, string[]]>([
    ['nothing', { recurrence: undefined }, ['schedule.recurrence']],
    ['an empty cron expression', cron('', ''), ['schedule.cron.expression']],
    ['an interval that is no whole second', interval(60n, 1), ['schedule.interval']],
  ])('wants an interval or a cron expression: not %s', async (_name, fields, expected) => {
    const error = await refusal(create(fields));
    expect(error.details.violations?.map(({ field }) => field)).toEqual(expected);
  });

  it('stops at 100 schedules', async () => {
    const { id } = await create();
    await service.sql(
      `insert into schedules select ('copy-' || n) as id, description, interval_ms, last_run_time, last_result, last_run_failed, job, cron, time_zone,
      overlap_policy, catch_up_window_ms, false, creator_id, create_time, true, null, null from schedules, generate_series(1, 97) n where id = $1`,
      [id],
    );
    expect(await refusal(create())).toMatchObject({ kind: 'failed_precondition', reason: 'TOO_MANY_SCHEDULES' });
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
    expect(await refusal(service.scheduler.deleteSchedule({ scheduleId: id }, admin.as))).toMatchObject({
      reason: 'SCHEDULE_NOT_FOUND',
    });
    expect(await service.sql('select 1 from schedule_runs where schedule_id = $1', [id])).toEqual([]);
  });

  it('leaves what is built in, which may be paused', async () => {
    expect(await refusal(service.scheduler.deleteSchedule({ scheduleId: 'overdue-sweep' }, admin.as))).toMatchObject({
      kind: 'failed_precondition',
      reason: 'SCHEDULE_BUILT_IN',
    });
    await service.scheduler.pauseSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
    expect(await get('overdue-sweep')).toMatchObject({ paused: true, builtIn: true });
    await service.scheduler.resumeSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
  });
});

describe('lists', () => {
  it('come in pages without loss or repetition', async () => {
    const ids = (await Promise.all(Array.from({ length: 5 }, () => create()))).map(({ id }) => id);
    const found: string[] = [];
    for (let pageToken = ''; ;) {
      const page = await service.scheduler.listSchedules({ pageSize: 2, pageToken }, admin.as);
      found.push(...page.schedules.map(({ id }) => id));
      if ((pageToken = page.nextPageToken) === '') break;
    }
    expect(found).toEqual([...ids, 'overdue-sweep', 'pruning'].sort());

    const id = ids[0] as string;
    const asked = await Promise.all(
      Array.from(
        { length: 5 },
        async () => (await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as)).runId,
      ),
    );
    const first = await service.scheduler.listScheduleRuns({ scheduleId: id, pageSize: 3 }, admin.as);
    const second = await service.scheduler.listScheduleRuns(
      { scheduleId: id, pageSize: 3, pageToken: first.nextPageToken },
      admin.as,
    );
    expect([...first.runs, ...second.runs].map((run) => run.id).sort()).toEqual(asked.sort());
    expect(first.runs[0]).toMatchObject({ requesterId: admin.userId, fireTime: undefined });
    expect(second.nextPageToken).toBe('');
    const foreign = service.scheduler.listScheduleRuns(
      { scheduleId: ids[1] as string, pageToken: first.nextPageToken },
      admin.as,
    );
    expect(await refusal(foreign)).toMatchObject({ reason: 'PAGE_TOKEN_INVALID' });
  });
});

describe('PreviewSchedule', () => {
  it('tells fire times over a change of the clock', async () => {
    const { fireTimes } = await service.scheduler.previewSchedule(
      { ...cron('0 9 * * *', 'Europe/Berlin'), startTime: new Date('2026-03-27T12:00:00Z'), fireTimeCount: 3 },
      admin.as,
    );
    expect(fireTimes.map((time) => time.toISOString())).toEqual([
      '2026-03-28T08:00:00.000Z',
      '2026-03-29T07:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ]);
  });

  it('gives ten unless asked, and refuses what CreateSchedule refuses', async () => {
    expect((await service.scheduler.previewSchedule(interval(60n), admin.as)).fireTimes).toHaveLength(10);
    const error = await refusal(
      service.scheduler.previewSchedule(
        { ...cron('* * *', 'Nowhere'), fireTimeCount: 101, startTime: new Date(-1) },
        admin.as,
      ),
    );
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual([
      'cron.expression',
      'cron.time_zone',
      'fire_time_count',
      'start_time',
    ]);
  });
});

describe('what administrators do', () => {
  it('is recorded and logged', async () => {
    const { id } = await create();
    await service.scheduler.pauseSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.resumeSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.triggerSchedule({ scheduleId: id }, admin.as);
    await service.scheduler.backfillSchedule(
      { scheduleId: id, startTime: new Date('2025-06-02'), endTime: new Date('2025-06-03') },
      admin.as,
    );
    await service.scheduler.deleteSchedule({ scheduleId: id }, admin.as);
    const { events } = await service.audit.listAuditEvents({ targetId: id }, admin.as);
    expect(events.reverse()).toMatchObject(
      [
        'CreateSchedule',
        'PauseSchedule',
        'ResumeSchedule',
        'TriggerSchedule',
        'BackfillSchedule',
        'DeleteSchedule',
      ].map((action) => ({ actorId: admin.userId, action, targetKind: AuditTargetKind.SCHEDULE })),
    );
    expect(service.logLines.filter((line) => line.includes('"audited"') && line.includes(id))).toHaveLength(6);
  });

  it('is for administrators only', async () => {
    expect(await refusal(service.scheduler.createSchedule({ schedule: draftOf() }, user.as))).toMatchObject({
      kind: 'permission_denied',
      reason: 'ADMIN_REQUIRED',
    });
    const range = { startTime: new Date('2025-06-02'), endTime: new Date('2025-06-03') };
    expect(
      await refusal(service.scheduler.backfillSchedule({ scheduleId: 'pruning', ...range }, user.as)),
    ).toMatchObject({ kind: 'permission_denied', reason: 'ADMIN_REQUIRED' });
  });
});
