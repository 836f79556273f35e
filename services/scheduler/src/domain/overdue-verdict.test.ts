import { describe, expect, it } from '@jest/globals';
import { JobState, Job, OverdueVerdict, type OverdueDelivery } from '#contract/scheduler/v1/jobs';
import { ExplainDueResponse, TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import { judgeAll, judgeDue, judgeEvent, judgeNotification, type EventFacts, type NotificationFacts, type SweepFacts } from './overdue-verdict.ts';

const time = new Date('2026-06-01T12:00:00Z');
const later = new Date('2026-06-01T13:00:00Z');
const text = (date: Date): string => date.toISOString();

const sweep: SweepFacts = { lastRunTime: time, lastResult: 'marked 3', lastRunFailed: false, paused: false };
const dueOf = (fields: Partial<ExplainDueResponse>, status: TaskStatus = TaskStatus.PENDING): ExplainDueResponse =>
  ExplainDueResponse.fromPartial({ state: TaskState.fromPartial({ status }), dueTime: time, currentTime: later, ...fields });

describe('before there is an event', () => {
  it.each<[string, { due: ExplainDueResponse; sweep: SweepFacts }, OverdueVerdict | undefined, string]>([
    ['a task that is gone', { due: dueOf({ state: undefined }), sweep }, OverdueVerdict.TASK_GONE, 'deleted'],
    ['no due time', { due: dueOf({ dueTime: undefined }), sweep }, OverdueVerdict.NO_DUE_TIME, 'no due time'],
    ['a due time to come', { due: dueOf({ dueTime: later, currentTime: time }), sweep }, OverdueVerdict.NOT_DUE_YET, text(later)],
    ['a task that was completed', { due: dueOf({}, TaskStatus.COMPLETED), sweep }, OverdueVerdict.TASK_CLOSED, 'closed before'],
    ['a task that was cancelled', { due: dueOf({}, TaskStatus.CANCELLED), sweep }, OverdueVerdict.TASK_CLOSED, 'closed before'],
    ['a task that no sweep has found', { due: dueOf({}), sweep }, OverdueVerdict.AWAITING_SWEEP, 'succeeded: marked 3'],
    ['a sweep that is paused', { due: dueOf({}), sweep: { ...sweep, paused: true } }, OverdueVerdict.AWAITING_SWEEP, 'paused'],
    ['a sweep that fails', { due: dueOf({}), sweep: { ...sweep, lastRunFailed: true, lastResult: 'tasks is away' } }, OverdueVerdict.AWAITING_SWEEP, 'failed: tasks is away'],
    ['a sweep that has not run', { due: dueOf({}), sweep: { ...sweep, lastRunTime: undefined } }, OverdueVerdict.AWAITING_SWEEP, 'has not run yet'],
    ['a task that a sweep has found', { due: dueOf({ overdueTime: later }), sweep }, undefined, ''],
    ['a task that was completed after a sweep had found it', { due: dueOf({ overdueTime: later }, TaskStatus.COMPLETED), sweep }, undefined, ''],
  ])('%s', (_name, known, verdict, says) => {
    const finding = judgeDue(known.due, known.sweep);
    expect(finding?.verdict).toBe(verdict);
    expect(finding?.explanation ?? '').toContain(says);
  });
});

describe('between the event and the notifications', () => {
  it.each<[string, EventFacts | undefined, OverdueVerdict | undefined, string]>([
    ['an event that the log has forgotten', undefined, OverdueVerdict.NOBODY_TOLD, 'does not reach back'],
    ['a parked event', { pulled: true, parked: true, idleMs: 0 }, OverdueVerdict.EVENT_PARKED, 'ListParkedEvents'],
    ['an event that waits', { pulled: false, parked: false, idleMs: 4_200 }, OverdueVerdict.EVENT_NOT_PULLED, '4.2 s ago'],
    ['a scheduler that has read nothing', { pulled: false, parked: false, idleMs: undefined }, OverdueVerdict.EVENT_NOT_PULLED, 'has not read any event yet'],
    ['an event that was handled', { pulled: true, parked: false, idleMs: 0 }, undefined, ''],
  ])('%s', (_name, facts, verdict, says) => {
    const finding = judgeEvent(dueOf({ overdueTime: later }), facts);
    expect(finding?.verdict).toBe(verdict);
    expect(finding?.explanation ?? '').toContain(says);
  });
});

const over = { until: time, isOver: true };
const facts = (fields: Partial<NotificationFacts>): NotificationFacts => ({
  state: 'pending', jobId: undefined, deliverTime: undefined, hold: over, job: undefined, queueReachable: true, queuePaused: false, deliveries: [], ...fields,
});
const jobOf = (state: JobState, fields: Partial<Job> = {}): Job => Job.fromPartial({ id: 'its-job', state, startCount: 2, ...fields });
const delivery = (channel: string, outcome: string, error = ''): OverdueDelivery => ({ channel, outcome, attemptCount: 1, error, createTime: time });

describe('a notification', () => {
  it.each<[string, Partial<NotificationFacts>, OverdueVerdict, string]>([
    ['held until its hour', { hold: { until: later, isOver: false } }, OverdueVerdict.HELD_UNTIL_HOUR, text(later)],
    ['whose hour is not known', { hold: { until: undefined, isOver: false } }, OverdueVerdict.HELD_UNTIL_HOUR, 'still to be looked up'],
    ['whose hour is over', {}, OverdueVerdict.AWAITING_JOB, 'within seconds'],
    ['without a job while Redis is away', { queueReachable: false }, OverdueVerdict.AWAITING_JOB, 'when Redis is back'],
    ['in a paused queue', { jobId: 'its-job', job: jobOf(JobState.WAITING), queuePaused: true }, OverdueVerdict.QUEUE_PAUSED, 'paused'],
    ['with a job while Redis is away', { jobId: 'its-job', queueReachable: false }, OverdueVerdict.IN_QUEUE, 'out of reach'],
    ['whose job is lost', { jobId: 'its-job' }, OverdueVerdict.JOB_LOST, 'not in Redis'],
    ['whose job is only recorded', { jobId: 'its-job', job: jobOf(JobState.PENDING) }, OverdueVerdict.JOB_LOST, 'not in Redis'],
    ['whose job waits', { jobId: 'its-job', job: jobOf(JobState.WAITING) }, OverdueVerdict.IN_QUEUE, 'is waiting, started 2 times'],
    ['whose job runs', { jobId: 'its-job', job: jobOf(JobState.ACTIVE) }, OverdueVerdict.IN_QUEUE, 'is active'],
    [
      'whose job will be tried again',
      { jobId: 'its-job', job: jobOf(JobState.DELAYED, { nextRunTime: later, failures: [{ time, attempt: 1, error: 'Error: no' }] }) },
      OverdueVerdict.IN_QUEUE,
      `is delayed, next at ${text(later)}, started 2 times; its last failure: Error: no`,
    ],
    ['in the inbox', { state: 'delivered', deliverTime: time, deliveries: [delivery('inbox', 'delivered')] }, OverdueVerdict.DELIVERED, `delivered at ${text(time)}: inbox delivered`],
    [
      'that is not in the inbox, since its recipient only wants webhooks',
      { state: 'delivered', deliverTime: time, deliveries: [delivery('inbox', 'muted'), delivery('webhook', 'queued')] },
      OverdueVerdict.DELIVERED,
      'inbox muted, webhook queued',
    ],
    ['that a digest stands for', { state: 'delivered', deliverTime: time, deliveries: [delivery('inbox', 'digested')] }, OverdueVerdict.DELIVERED, 'inbox digested'],
    ['whose deliveries are forgotten', { state: 'delivered', deliverTime: time }, OverdueVerdict.DELIVERED, `delivered at ${text(time)}`],
    [
      'whose channels are all muted',
      { state: 'muted', deliveries: [delivery('inbox', 'muted'), delivery('webhook', 'muted')] },
      OverdueVerdict.MUTED,
      'turned it off: inbox muted, webhook muted',
    ],
    ['that had become stale', { state: 'stale' }, OverdueVerdict.STALE, 'dropped'],
    ['whose job died', { state: 'dead', jobId: 'its-job', deliveries: [delivery('inbox', 'dead', 'Error: broken')] }, OverdueVerdict.DEAD, 'its-job died: Error: broken'],
    ['of a later release', { state: 'snoozed' }, OverdueVerdict.UNSPECIFIED, 'recorded as "snoozed"'],
  ])('%s', (_name, fields, verdict, says) => {
    const finding = judgeNotification(facts(fields));
    expect(finding.verdict).toBe(verdict);
    expect(finding.explanation).toContain(says);
  });
});

describe('the whole', () => {
  const of = (verdict: OverdueVerdict) => ({ verdict, explanation: verdict });

  it.each<[OverdueVerdict[], OverdueVerdict]>([
    [[], OverdueVerdict.NOBODY_TOLD],
    [[OverdueVerdict.DELIVERED], OverdueVerdict.DELIVERED],
    [[OverdueVerdict.DELIVERED, OverdueVerdict.HELD_UNTIL_HOUR], OverdueVerdict.HELD_UNTIL_HOUR],
    [[OverdueVerdict.HELD_UNTIL_HOUR, OverdueVerdict.IN_QUEUE], OverdueVerdict.IN_QUEUE],
    [[OverdueVerdict.DELIVERED, OverdueVerdict.MUTED], OverdueVerdict.MUTED],
    [[OverdueVerdict.MUTED, OverdueVerdict.STALE], OverdueVerdict.STALE],
    [[OverdueVerdict.JOB_LOST, OverdueVerdict.DEAD, OverdueVerdict.QUEUE_PAUSED], OverdueVerdict.DEAD],
  ])('of %j is %s', (verdicts, expected) => {
    expect(judgeAll(verdicts.map(of)).verdict).toBe(expected);
  });
});
