import {
  DeadJob,
  Job,
  type JobEffect,
  jobEffectKindFromJSON,
  JobEffectState,
  type JobFailure,
  JobState,
  type JobEffectKind,
} from '#contract/scheduler/v1/jobs';
import { defineMessage } from '#libs/db';
import type { LiveJob } from './queue.port.ts';
import type { JobEffect as RecordedJobEffect, RecordedEffect } from './job-rows.ts';
import { deadLetterTable, type DeadLetterValues, type StoredFailure } from './dead-letter.columns.ts';

const toDeadJobMessage = defineMessage<DeadJob, void>(DeadJob.fromPartial({}))(deadLetterTable, {
  payload: ({ payload }) => payload,
  failures: ({ failures }) => failures.map(toFailure),
});
export const toDeadJob = (deadLetter: DeadLetterValues): DeadJob => toDeadJobMessage(deadLetter);

function toFailure({ time, attempt, error }: StoredFailure): JobFailure {
  return { failTime: new Date(time), attempt, error };
}

const effectStates: Readonly<Record<string, JobEffectState>> = {
  pending: JobEffectState.PENDING,
  delivered: JobEffectState.DELIVERED,
  muted: JobEffectState.MUTED,
  stale: JobEffectState.STALE,
  done: JobEffectState.SUCCEEDED,
  dead: JobEffectState.DEAD,
  'in-doubt': JobEffectState.IN_DOUBT,
  sent: JobEffectState.SENT,
};

/** The contract names kinds as the rows do: "schedule-run" is SCHEDULE_RUN. */
const toKind = (kind: string): JobEffectKind =>
  jobEffectKindFromJSON(`JOB_EFFECT_KIND_${kind.toUpperCase().replaceAll('-', '_')}`);

export function toJobEffects(effects: readonly RecordedJobEffect[]): JobEffect[] {
  return effects.map(({ kind, id, state }) => ({
    kind: toKind(kind),
    id,
    state: effectStates[state] ?? JobEffectState.UNSPECIFIED,
  }));
}

const liveStates: Record<LiveJob['state'], JobState> = {
  waiting: JobState.WAITING,
  active: JobState.ACTIVE,
  delayed: JobState.DELAYED,
};

const blank = Job.fromPartial({});

/** A job that is in Redis. */
export function fromLive(live: LiveJob, effects: readonly RecordedEffect[]): Job {
  const { jobId: id, queue, name, payload, maxAttempts, enqueueTime, startTime, callId: requestId, failures } = live;
  return {
    ...blank,
    id,
    queue,
    name,
    state: liveStates[live.state],
    payload,
    attemptCount: live.attempts,
    maxAttempts,
    startCount: live.starts,
    stallCount: live.stalls,
    enqueueTime,
    startTime,
    nextRunTime: live.state === 'delayed' ? live.nextRunTime : undefined,
    failures: failures.map(toFailure),
    requestId,
    effects: toJobEffects(effects),
  };
}

/** A job that died. */
export function fromDeadLetter(deadLetter: DeadLetterValues, effects: readonly RecordedEffect[]): Job {
  const { jobId: id, queue, name, payload, attemptCount, createTime: finishTime, failures, requestId } = deadLetter;
  return {
    ...blank,
    id,
    queue,
    name,
    state: JobState.DEAD,
    payload,
    attemptCount,
    finishTime,
    failures: failures.map(toFailure),
    requestId,
    deadJobId: deadLetter.id,
    enqueueTime: effects[0]?.enqueueTime,
    effects: toJobEffects(effects),
  };
}

/** A job that is neither in Redis nor dead: it has ended, or it is about to be made (again). */
export function fromEffects(id: string, effects: readonly RecordedEffect[]): Job {
  const isPending = effects.some(({ state }) => state === 'pending' || state === 'in-doubt');
  const finishTimes = effects.flatMap(({ finishTime }) => (finishTime === undefined ? [] : [finishTime.getTime()]));
  return {
    ...blank,
    id,
    state: isPending ? JobState.PENDING : JobState.FINISHED,
    startCount: Math.max(0, ...effects.map(({ attempts }) => attempts)),
    enqueueTime: effects[0]?.enqueueTime,
    finishTime: isPending || finishTimes.length === 0 ? undefined : new Date(Math.max(...finishTimes)),
    requestId: effects[0]?.callId ?? '',
    effects: toJobEffects(effects),
  };
}
