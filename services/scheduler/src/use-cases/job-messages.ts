import type { DeadJob, Job, JobEffect, JobFailure } from '#contract/scheduler/v1/jobs';
import { DeadJobState, JobState } from '#contract/scheduler/v1/jobs';
import type { LiveJob, RecordedEffect } from '../deps.ts';
import type { DeadLetterState } from '../domain/dead-letter.entity.ts';
import type { FiledLetter } from '../domain/dead-letter.repository.ts';

type Duration = { seconds: bigint; nanos: number };

export function toDuration(ms: number): Duration {
  const whole = Math.round(ms);
  return { seconds: BigInt(Math.floor(whole / 1_000)), nanos: (whole % 1_000) * 1_000_000 };
}

const deadStates: Record<DeadLetterState, DeadJobState> = {
  open: DeadJobState.OPEN,
  retried: DeadJobState.RETRIED,
  discarded: DeadJobState.DISCARDED,
};

export function toDeadJob(letter: FiledLetter): DeadJob {
  const { id, queue, name, jobId, payload, error, failures, callId, createTime, settleTime, settledBy } = letter;
  return {
    id, queue, name, jobId, state: deadStates[letter.state], payload, error, attemptCount: letter.attempts,
    failures: failures as JobFailure[], callId, createTime, settleTime, settledBy,
  };
}

export function toJobEffects(effects: readonly { kind: string; id: string; state: string }[]): JobEffect[] {
  return effects.map(({ kind, id, state }) => ({ kind, id, state }));
}

const liveStates: Record<LiveJob['state'], JobState> = { waiting: JobState.WAITING, active: JobState.ACTIVE, delayed: JobState.DELAYED };

const blank: Job = {
  id: '', queue: '', name: '', state: JobState.UNSPECIFIED, payload: undefined, attemptCount: 0, maxAttempts: 0, startCount: 0, stallCount: 0,
  enqueueTime: undefined, startTime: undefined, nextRunTime: undefined, finishTime: undefined, failures: [], callId: '', deadJobId: '', effects: [],
};

/** A job that is in Redis. */
export function fromLive(live: LiveJob, effects: readonly RecordedEffect[]): Job {
  const { jobId: id, queue, name, payload, maxAttempts, enqueueTime, startTime, callId, failures } = live;
  return {
    ...blank, id, queue, name, state: liveStates[live.state], payload, attemptCount: live.attempts, maxAttempts, startCount: live.starts, stallCount: live.stalls,
    enqueueTime, startTime, nextRunTime: live.state === 'delayed' ? live.nextRunTime : undefined, failures, callId, effects: toJobEffects(effects),
  };
}

/** A job that died. */
export function fromLetter(letter: FiledLetter, effects: readonly RecordedEffect[]): Job {
  const { jobId: id, queue, name, payload, createTime: finishTime, failures, callId } = letter;
  return {
    ...blank, id, queue, name, state: JobState.DEAD, payload, attemptCount: letter.attempts, finishTime, failures, callId, deadJobId: letter.id,
    enqueueTime: effects[0]?.enqueueTime, effects: toJobEffects(effects),
  };
}

/** A job of which only the effects are known: it has ended, or it is about to be made (again). */
export function fromEffects(id: string, effects: readonly RecordedEffect[]): Job {
  const isPending = effects.some(({ state }) => state === 'pending');
  const finishTimes = effects.flatMap(({ finishTime }) => (finishTime === undefined ? [] : [finishTime.getTime()]));
  return {
    ...blank,
    id,
    state: isPending ? JobState.PENDING : JobState.FINISHED,
    startCount: Math.max(0, ...effects.map(({ attempts }) => attempts)),
    enqueueTime: effects[0]?.enqueueTime,
    finishTime: isPending || finishTimes.length === 0 ? undefined : new Date(Math.max(...finishTimes)),
    callId: effects[0]?.callId ?? '',
    effects: toJobEffects(effects),
  };
}
