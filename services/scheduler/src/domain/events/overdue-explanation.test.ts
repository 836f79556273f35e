import { describe, expect, it } from '@jest/globals';
import { JobState, Job, OverdueExplanation as Explanation } from '#contract/scheduler/v1/jobs';
import { ExplainDueResponse, TaskState, TaskStatus } from '#contract/tasks/v1/tasks';
import {
  explainAll,
  explainDue,
  explainEvent,
  explainNotification,
  type EventFacts,
  type NotificationFacts,
  type SweepFacts,
  type ChannelFacts,
} from './overdue-explanation.ts';

const time = new Date('2026-06-01T12:00:00Z');
const later = new Date('2026-06-01T13:00:00Z');
const text = (date: Date): string => date.toISOString();

const sweep: SweepFacts = { lastRunTime: time, lastResult: 'marked 3', lastRunFailed: false, paused: false };
const dueOf = (fields: Partial<ExplainDueResponse>, status: TaskStatus = TaskStatus.PENDING): ExplainDueResponse =>
  ExplainDueResponse.fromPartial({
    state: TaskState.fromPartial({ status }),
    dueTime: time,
    currentTime: later,
    ...fields,
  });

describe('before there is an event', () => {
  const paused = { ...sweep, paused: true };
  const failed = { ...sweep, lastRunFailed: true, lastResult: 'tasks is away' };
  const notRun = { ...sweep, lastRunTime: undefined };
  const completed = dueOf({}, TaskStatus.COMPLETED);
  const completedLater = dueOf({ overdueTime: later }, TaskStatus.COMPLETED);

  const expectFinding = (
    due: ExplainDueResponse,
    facts: SweepFacts,
    explanation: Explanation | undefined,
    says: string,
  ) => {
    const finding = explainDue(due, facts);
    expect(finding?.explanation).toBe(explanation);
    expect(finding?.message ?? '').toContain(says);
  };

  it.each<[string, ExplainDueResponse, Explanation | undefined, string]>([
    ['a task that is gone', dueOf({ state: undefined }), Explanation.TASK_GONE, 'deleted'],
    ['no due time', dueOf({ dueTime: undefined }), Explanation.NO_DUE_TIME, 'no due time'],
    ['a due time to come', dueOf({ dueTime: later, currentTime: time }), Explanation.NOT_DUE_YET, text(later)],
    ['a task that was completed', completed, Explanation.TASK_CLOSED, 'closed before'],
    ['a task that was cancelled', dueOf({}, TaskStatus.CANCELLED), Explanation.TASK_CLOSED, 'closed before'],
    ['a task that a sweep has found', dueOf({ overdueTime: later }), undefined, ''],
    ['a task that was completed after a sweep had found it', completedLater, undefined, ''],
  ])('%s', (_name, due, explanation, says) => expectFinding(due, sweep, explanation, says));

  it.each<[string, SweepFacts, string]>([
    ['a task that no sweep has found', sweep, 'succeeded: marked 3'],
    ['a sweep that is paused', paused, 'paused'],
    ['a sweep that fails', failed, 'failed: tasks is away'],
    ['a sweep that has not run', notRun, 'has not run yet'],
  ])('%s', (_name, facts, says) => expectFinding(dueOf({}), facts, Explanation.AWAITING_SWEEP, says));
});

describe('between the event and the notifications', () => {
  const handled = { pulled: true, deadLettered: false, idleMs: 0 };
  const deadLetter = { ...handled, deadLettered: true };
  const waiting = { ...handled, pulled: false, idleMs: 4_200 };
  const unread = { ...waiting, idleMs: undefined };

  it.each<[string, EventFacts | undefined, Explanation | undefined, string]>([
    ['an event that the log has forgotten', undefined, Explanation.NOBODY_NOTIFIED, 'does not reach back'],
    ['a dead-letter event', deadLetter, Explanation.EVENT_DEAD_LETTERED, 'ListDeadLetterEvents'],
    ['an event that waits', waiting, Explanation.EVENT_NOT_PULLED, '4.2 s ago'],
    ['a scheduler that has read nothing', unread, Explanation.EVENT_NOT_PULLED, 'has not read any event yet'],
    ['an event that was handled', handled, undefined, ''],
  ])('%s', (_name, facts, explanation, says) => {
    const finding = explainEvent(dueOf({ overdueTime: later }), facts);
    expect(finding?.explanation).toBe(explanation);
    expect(finding?.message ?? '').toContain(says);
  });
});

const over = { until: time, isOver: true };
const facts = (fields: Partial<NotificationFacts>): NotificationFacts => ({
  state: 'pending',
  jobId: null,
  deliverTime: null,
  delay: over,
  job: undefined,
  queueReachable: true,
  queuePaused: false,
  deliveries: [],
  ...fields,
});
const jobOf = (state: JobState, fields: Partial<Job> = {}): Job =>
  Job.fromPartial({ id: 'its-job', state, startCount: 2, ...fields });
const delivery = (channel: string, outcome: string, error = ''): ChannelFacts => ({ channel, outcome, error });

function expectFinding(
  _name: string,
  fields: Partial<NotificationFacts>,
  explanation: Explanation,
  says: string,
): void {
  const finding = explainNotification(facts(fields));
  expect(finding.explanation).toBe(explanation);
  expect(finding.message).toContain(says);
}

describe('a notification that waits', () => {
  const unknownHour = { delay: { until: undefined, isOver: false } };
  const withJob = (state: JobState, job: Partial<Job> = {}) => ({ jobId: 'its-job', job: jobOf(state, job) });
  const paused = { ...withJob(JobState.WAITING), queuePaused: true };
  const failures = [{ failTime: time, attempt: 1, error: 'Error: no' }];
  const retried = withJob(JobState.DELAYED, { nextRunTime: later, failures });
  const itsLastFailure = `is delayed, next at ${text(later)}, started 2 times; its last failure: Error: no`;

  it.each<[string, Partial<NotificationFacts>, Explanation, string]>([
    ['until its hour', { delay: { until: later, isOver: false } }, Explanation.HELD_UNTIL_HOUR, text(later)],
    ['until its hour is known', unknownHour, Explanation.HELD_UNTIL_HOUR, 'still to be looked up'],
    ['though its hour is over', {}, Explanation.AWAITING_JOB, 'within seconds'],
    ['without a job while Redis is away', { queueReachable: false }, Explanation.AWAITING_JOB, 'when Redis is back'],
    ['in a paused queue', paused, Explanation.QUEUE_PAUSED, 'paused'],
    [
      'with a job while Redis is away',
      { jobId: 'its-job', queueReachable: false },
      Explanation.IN_QUEUE,
      'out of reach',
    ],
    ['for a job that is lost', { jobId: 'its-job' }, Explanation.JOB_LOST, 'not in Redis'],
    ['for a job that is only recorded', withJob(JobState.PENDING), Explanation.JOB_LOST, 'not in Redis'],
    ['for a job that waits', withJob(JobState.WAITING), Explanation.IN_QUEUE, 'is waiting, started 2 times'],
    ['for a job that runs', withJob(JobState.ACTIVE), Explanation.IN_QUEUE, 'is active'],
    ['for a job that will be tried again', retried, Explanation.IN_QUEUE, itsLastFailure],
  ])('%s', expectFinding);
});

describe('a notification that is over', () => {
  const delivered = (deliveries: ChannelFacts[] = []) => ({ state: 'delivered', deliverTime: time, deliveries });
  const inboxMuted = delivery('inbox', 'muted');
  const webhooksOnly = delivered([inboxMuted, delivery('webhook', 'queued')]);
  const muted = { state: 'muted', deliveries: [inboxMuted, delivery('webhook', 'muted')] };
  const dead = { state: 'dead', jobId: 'its-job', deliveries: [delivery('inbox', 'dead', 'Error: broken')] };
  const inInbox = delivered([delivery('inbox', 'delivered')]);
  const inDigest = delivered([delivery('inbox', 'digested')]);
  const atTime = `delivered at ${text(time)}`;

  it.each<[string, Partial<NotificationFacts>, Explanation, string]>([
    ['in the inbox', inInbox, Explanation.DELIVERED, `${atTime}: inbox delivered`],
    ['for a recipient who only wants webhooks', webhooksOnly, Explanation.DELIVERED, 'inbox muted, webhook queued'],
    ['for which a digest stands', inDigest, Explanation.DELIVERED, 'inbox digested'],
    ['whose deliveries are forgotten', delivered(), Explanation.DELIVERED, atTime],
    ['whose channels are all muted', muted, Explanation.MUTED, 'turned it off: inbox muted, webhook muted'],
    ['that had become stale', { state: 'stale' }, Explanation.STALE, 'dropped'],
    ['whose job died', dead, Explanation.DEAD, 'its-job died: Error: broken'],
    ['of a later release', { state: 'snoozed' }, Explanation.UNSPECIFIED, 'recorded as "snoozed"'],
  ])('%s', expectFinding);
});

describe('the whole', () => {
  const of = (explanation: Explanation) => ({ explanation, message: explanation });

  it.each<[Explanation[], Explanation]>([
    [[], Explanation.NOBODY_NOTIFIED],
    [[Explanation.DELIVERED], Explanation.DELIVERED],
    [[Explanation.DELIVERED, Explanation.HELD_UNTIL_HOUR], Explanation.HELD_UNTIL_HOUR],
    [[Explanation.HELD_UNTIL_HOUR, Explanation.IN_QUEUE], Explanation.IN_QUEUE],
    [[Explanation.DELIVERED, Explanation.MUTED], Explanation.MUTED],
    [[Explanation.MUTED, Explanation.STALE], Explanation.STALE],
    [[Explanation.JOB_LOST, Explanation.DEAD, Explanation.QUEUE_PAUSED], Explanation.DEAD],
  ])('of %j is %s', (explanations, expected) => {
    expect(explainAll(explanations.map(of)).explanation).toBe(expected);
  });
});
