import { JobState, OverdueVerdict, type Job, type OverdueDelivery } from '#contract/scheduler/v1/jobs';
import { TaskStatus, type ExplainDueResponse } from '#contract/tasks/v1/tasks';

/** A verdict and the sentence that says it with its times and numbers. */
export interface Finding {
  verdict: OverdueVerdict;
  explanation: string;
}

/** What a notification waits for before it gets a job. */
export interface DeliveryHold {
  /** The hour of its recipient; undefined while that has not been looked up. */
  until: Date | undefined;
  /** By the database's clock, which decides. */
  isOver: boolean;
}

/** What is known of a notification's way. */
export interface NotificationFacts {
  state: string;
  jobId: string | undefined;
  deliverTime: Date | undefined;
  hold: DeliveryHold;
  /** Undefined: neither in Redis nor recorded. */
  job: Job | undefined;
  /** False: Redis is away, so that a job that is not found may be there. */
  queueReachable: boolean;
  queuePaused: boolean;
  deliveries: OverdueDelivery[];
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
  parked: boolean;
}

const at = (time: Date | undefined): string => time?.toISOString() ?? 'an unknown time';

function describeSweep({ lastRunTime, lastResult, lastRunFailed, paused }: SweepFacts): string {
  const state = paused ? 'the schedule of the sweep is paused' : 'the sweep runs by its schedule';
  if (lastRunTime === undefined) return `${state} and has not run yet`;
  return `${state}; its last run at ${at(lastRunTime)} ${lastRunFailed ? 'failed' : 'succeeded'}: ${lastResult}`;
}

const isOpen = (status: TaskStatus): boolean => status === TaskStatus.PENDING || status === TaskStatus.IN_PROGRESS;

/** What stands in the way before there is an event; undefined when a sweep has found the current due version. */
export function judgeDue(due: ExplainDueResponse, sweep: SweepFacts): Finding | undefined {
  const { state, dueTime, overdueTime, currentTime } = due;
  if (state === undefined) return { verdict: OverdueVerdict.TASK_GONE, explanation: 'the task was deleted, or never was' };
  if (dueTime === undefined) return { verdict: OverdueVerdict.NO_DUE_TIME, explanation: 'the task has no due time' };
  if (overdueTime !== undefined) return undefined;
  if (!isOpen(state.status)) return { verdict: OverdueVerdict.TASK_CLOSED, explanation: 'the task was closed before a sweep found it overdue' };
  if (currentTime !== undefined && dueTime > currentTime) {
    return { verdict: OverdueVerdict.NOT_DUE_YET, explanation: `the task is due at ${at(dueTime)}; by the clock that decides it is ${at(currentTime)}` };
  }
  return { verdict: OverdueVerdict.AWAITING_SWEEP, explanation: `the task is due since ${at(dueTime)} and no sweep has found it: ${describeSweep(sweep)}` };
}

/** What stands in the way between the event and the notifications; undefined when it was handled. */
export function judgeEvent(due: ExplainDueResponse, event: EventFacts | undefined): Finding | undefined {
  const since = `a sweep found the task overdue at ${at(due.overdueTime)}`;
  if (event === undefined) {
    return { verdict: OverdueVerdict.NOBODY_TOLD, explanation: `${since}, and the log does not reach back to its event: what followed cannot be told any more` };
  }
  if (event.parked) return { verdict: OverdueVerdict.EVENT_PARKED, explanation: `${since}; its event could not be handled and is parked: see ListParkedEvents` };
  if (event.pulled) return undefined;
  const idle = event.idleMs === undefined ? 'has not read any event yet' : `last moved on ${(event.idleMs / 1_000).toFixed(1)} s ago`;
  return { verdict: OverdueVerdict.EVENT_NOT_PULLED, explanation: `${since}; its event waits to be pulled: the scheduler ${idle}` };
}

function judgeHeld({ until }: DeliveryHold): Finding {
  const explanation = until === undefined ? "the recipient's hour is still to be looked up; users may be away" : `held until the recipient's hour: ${at(until)}`;
  return { verdict: OverdueVerdict.HELD_UNTIL_HOUR, explanation };
}

function judgePending(facts: NotificationFacts): Finding {
  const { hold, jobId, queueReachable } = facts;
  if (jobId !== undefined) return judgeJob(jobId, facts);
  if (!hold.isOver) return judgeHeld(hold);
  return { verdict: OverdueVerdict.AWAITING_JOB, explanation: `recorded; a job follows${queueReachable ? ' within seconds' : ' when Redis is back'}` };
}

function judgeJob(jobId: string, { job, queueReachable, queuePaused }: NotificationFacts): Finding {
  if (queuePaused) return { verdict: OverdueVerdict.QUEUE_PAUSED, explanation: `job ${jobId} waits in a queue that is paused` };
  if (!queueReachable) return { verdict: OverdueVerdict.IN_QUEUE, explanation: `job ${jobId} was put into the queue; Redis is out of reach now` };
  if (job === undefined || job.state === JobState.PENDING) return { verdict: OverdueVerdict.JOB_LOST, explanation: `job ${jobId} is not in Redis; another one follows within seconds` };
  const lastError = job.failures.at(-1)?.error;
  const trouble = lastError === undefined ? '' : `; its last failure: ${lastError}`;
  const next = job.nextRunTime === undefined ? '' : `, next at ${at(job.nextRunTime)}`;
  return { verdict: OverdueVerdict.IN_QUEUE, explanation: `job ${jobId} is ${job.state.replace('JOB_STATE_', '').toLowerCase()}${next}, started ${job.startCount} times${trouble}` };
}

/** What became of each way out; a digest or a muted channel is why an inbox shows no entry of its own. */
function describeWays(deliveries: readonly OverdueDelivery[]): string {
  return deliveries.length === 0 ? '' : `: ${deliveries.map(({ channel, outcome }) => `${channel} ${outcome}`).join(', ')}`;
}

/** How one recipient's notification stands. */
export function judgeNotification(facts: NotificationFacts): Finding {
  const { state, jobId, deliverTime, deliveries } = facts;
  switch (state) {
    case 'pending':
      return judgePending(facts);
    case 'delivered':
      return { verdict: OverdueVerdict.DELIVERED, explanation: `delivered at ${at(deliverTime)}${describeWays(deliveries)}` };
    case 'stale':
      return { verdict: OverdueVerdict.STALE, explanation: 'dropped at its delivery: the task had been closed, rescheduled or handed over' };
    case 'muted':
      return { verdict: OverdueVerdict.MUTED, explanation: `not delivered: the recipient has turned it off${describeWays(deliveries)}` };
    case 'dead':
      return { verdict: OverdueVerdict.DEAD, explanation: `job ${jobId ?? ''} died: ${deliveries.find(({ outcome }) => outcome === 'dead')?.error ?? 'see ListDeadJobs'}` };
    default:
      return { verdict: OverdueVerdict.UNSPECIFIED, explanation: `recorded as "${state}"` };
  }
}

/** From what keeps a notification back to what has been done. */
const furthestBehindFirst: readonly OverdueVerdict[] = [
  OverdueVerdict.DEAD,
  OverdueVerdict.AWAITING_JOB,
  OverdueVerdict.JOB_LOST,
  OverdueVerdict.QUEUE_PAUSED,
  OverdueVerdict.IN_QUEUE,
  OverdueVerdict.HELD_UNTIL_HOUR,
  OverdueVerdict.UNSPECIFIED,
  OverdueVerdict.STALE,
  OverdueVerdict.MUTED,
  OverdueVerdict.DELIVERED,
];

/** The whole, from its parts: the one that is furthest behind speaks for all. */
export function judgeAll(findings: readonly Finding[]): Finding {
  const rank = ({ verdict }: Finding): number => furthestBehindFirst.indexOf(verdict);
  const [first] = [...findings].sort((a, b) => rank(a) - rank(b));
  return first ?? { verdict: OverdueVerdict.NOBODY_TOLD, explanation: 'the event was handled, and no notification of it is recorded (any more)' };
}
