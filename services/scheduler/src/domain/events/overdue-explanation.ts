import { JobState, OverdueExplanation, type Job } from '#contract/scheduler/v1/jobs';
import { TaskStatus, type ExplainDueResponse } from '#contract/tasks/v1/tasks';

/** An explanation and the sentence that says it with its times and numbers. */
export interface Finding {
  explanation: OverdueExplanation;
  message: string;
}

/** Until when a notification gets no job. */
export interface DeliveryDelay {
  /** The hour of its recipient; undefined while that has not been looked up. */
  until: Date | undefined;
  /** By the database's clock, which decides. */
  isOver: boolean;
}

/** The recorded outcome on one channel. */
export interface ChannelFacts {
  channel: string;
  outcome: string;
  error: string;
}

/** The recorded state of a notification and of its job. */
export interface NotificationFacts {
  state: string;
  jobId: string | null;
  deliverTime: Date | null;
  delay: DeliveryDelay;
  /** Undefined: neither in Redis nor recorded. */
  job: Job | undefined;
  /** False: Redis is away, so that a job that is not found may be there. */
  queueReachable: boolean;
  queuePaused: boolean;
  deliveries: readonly ChannelFacts[];
}

export interface SweepFacts {
  lastRunTime: Date | undefined;
  lastResult: string;
  lastRunFailed: boolean;
  paused: boolean;
}

export interface EventFacts {
  pulled: boolean;
  idleMs: number | undefined;
  deadLettered: boolean;
}

const finding = (explanation: OverdueExplanation, message: string): Finding => ({ explanation, message });

const at = (time: Date | null | undefined): string => time?.toISOString() ?? 'an unknown time';

function describeSweep({ lastRunTime, lastResult, lastRunFailed, paused }: SweepFacts): string {
  const state = paused ? 'the schedule of the sweep is paused' : 'the sweep runs by its schedule';
  if (lastRunTime === undefined) return `${state} and has not run yet`;
  return `${state}; its last run at ${at(lastRunTime)} ${lastRunFailed ? 'failed' : 'succeeded'}: ${lastResult}`;
}

const isOpen = (status: TaskStatus): boolean => status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;

/** Why there is no event yet; undefined when a sweep has found the current due version. */
export function explainDue(due: ExplainDueResponse, sweep: SweepFacts): Finding | undefined {
  const { state, dueTime, overdueTime, currentTime } = due;
  if (state === undefined) return finding(OverdueExplanation.TASK_GONE, 'the task was deleted, or never was');
  if (dueTime === undefined) return finding(OverdueExplanation.NO_DUE_TIME, 'the task has no due time');
  if (overdueTime !== undefined) return undefined;
  if (!isOpen(state.status))
    return finding(OverdueExplanation.TASK_CLOSED, 'the task was closed before a sweep found it overdue');
  if (currentTime !== undefined && dueTime > currentTime) {
    return finding(
      OverdueExplanation.NOT_DUE_YET,
      `the task is due at ${at(dueTime)}; by the clock that decides it is ${at(currentTime)}`,
    );
  }
  return finding(
    OverdueExplanation.AWAITING_SWEEP,
    `the task is due since ${at(dueTime)} and no sweep has found it: ${describeSweep(sweep)}`,
  );
}

/** Why the event has no notifications yet; undefined when it was handled. */
export function explainEvent(due: ExplainDueResponse, event: EventFacts | undefined): Finding | undefined {
  const since = `a sweep found the task overdue at ${at(due.overdueTime)}`;
  if (event === undefined) {
    return finding(
      OverdueExplanation.NOBODY_NOTIFIED,
      `${since}, and the log does not reach back to its event: what followed cannot be told any more`,
    );
  }
  if (event.deadLettered)
    return finding(
      OverdueExplanation.EVENT_DEAD_LETTERED,
      `${since}; its event could not be handled and was set aside: see ListDeadLetterEvents`,
    );
  if (event.pulled) return undefined;
  const idle =
    event.idleMs === undefined
      ? 'has not read any event yet'
      : `last moved on ${(event.idleMs / 1_000).toFixed(1)} s ago`;
  return finding(OverdueExplanation.EVENT_NOT_PULLED, `${since}; its event waits to be pulled: the scheduler ${idle}`);
}

function explainDelayed({ until }: DeliveryDelay): Finding {
  const message =
    until === undefined
      ? "the recipient's hour is still to be looked up; users may be away"
      : `held until the recipient's hour: ${at(until)}`;
  return finding(OverdueExplanation.HELD_UNTIL_HOUR, message);
}

function explainPending(facts: NotificationFacts): Finding {
  const { delay, jobId, queueReachable } = facts;
  if (jobId !== null) return explainJob(jobId, facts);
  if (!delay.isOver) return explainDelayed(delay);
  return finding(
    OverdueExplanation.AWAITING_JOB,
    `recorded; a job follows${queueReachable ? ' within seconds' : ' when Redis is back'}`,
  );
}

function explainJob(jobId: string, { job, queueReachable, queuePaused }: NotificationFacts): Finding {
  if (queuePaused) return finding(OverdueExplanation.QUEUE_PAUSED, `job ${jobId} waits in a queue that is paused`);
  if (!queueReachable)
    return finding(OverdueExplanation.IN_QUEUE, `job ${jobId} was put into the queue; Redis is out of reach now`);
  if (job === undefined || job.state === JobState.PENDING)
    return finding(OverdueExplanation.JOB_LOST, `job ${jobId} is not in Redis; another one follows within seconds`);
  const lastError = job.failures.at(-1)?.error;
  const trouble = lastError === undefined ? '' : `; its last failure: ${lastError}`;
  const next = job.nextRunTime === undefined ? '' : `, next at ${at(job.nextRunTime)}`;
  return finding(
    OverdueExplanation.IN_QUEUE,
    `job ${jobId} is ${job.state.replace('JOB_STATE_', '').toLowerCase()}${next}, started ${job.startCount} times${trouble}`,
  );
}

/** The outcome on each channel: a digest or a muted channel explains why the inbox has no entry of its own. */
function describeChannels(deliveries: readonly ChannelFacts[]): string {
  return deliveries.length === 0
    ? ''
    : `: ${deliveries.map(({ channel, outcome }) => `${channel} ${outcome}`).join(', ')}`;
}

/** The state of one recipient's notification. */
export function explainNotification(facts: NotificationFacts): Finding {
  const { state, jobId, deliverTime, deliveries } = facts;
  switch (state) {
    case 'pending':
      return explainPending(facts);
    case 'delivered':
      return finding(OverdueExplanation.DELIVERED, `delivered at ${at(deliverTime)}${describeChannels(deliveries)}`);
    case 'stale':
      return finding(
        OverdueExplanation.STALE,
        'dropped at its delivery: the task had been closed, rescheduled or handed over',
      );
    case 'muted':
      return finding(
        OverdueExplanation.MUTED,
        `not delivered: the recipient has turned it off${describeChannels(deliveries)}`,
      );
    case 'dead':
      return finding(
        OverdueExplanation.DEAD,
        `job ${jobId ?? ''} died: ${deliveries.find(({ outcome }) => outcome === 'dead')?.error ?? 'see ListDeadJobs'}`,
      );
    default:
      return finding(OverdueExplanation.UNSPECIFIED, `recorded as "${state}"`);
  }
}

/** From the states that delay a notification to the final ones. */
const furthestBehindFirst: readonly OverdueExplanation[] = [
  OverdueExplanation.DEAD,
  OverdueExplanation.AWAITING_JOB,
  OverdueExplanation.JOB_LOST,
  OverdueExplanation.QUEUE_PAUSED,
  OverdueExplanation.IN_QUEUE,
  OverdueExplanation.HELD_UNTIL_HOUR,
  OverdueExplanation.UNSPECIFIED,
  OverdueExplanation.STALE,
  OverdueExplanation.MUTED,
  OverdueExplanation.DELIVERED,
];

/** One finding for all notifications: that of the notification which is furthest behind. */
export function explainAll(findings: readonly Finding[]): Finding {
  const rank = ({ explanation }: Finding): number => furthestBehindFirst.indexOf(explanation);
  const [first] = [...findings].sort((a, b) => rank(a) - rank(b));
  return (
    first ??
    finding(
      OverdueExplanation.NOBODY_NOTIFIED,
      'the event was handled, and no notification of it is recorded (any more)',
    )
  );
}
