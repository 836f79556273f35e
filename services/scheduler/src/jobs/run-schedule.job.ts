import { z } from 'zod';
import { runSchedule } from '../use-cases/schedules/run-schedule.ts';
import { defineKind } from './job-kind.ts';

/** Does a recorded run of a schedule. */
export const runScheduleJob = defineKind({
  name: 'run-schedule',
  queue: 'schedules',
  payload: z.object({ scheduleId: z.string(), runId: z.uuid() }),
  retry: { attempts: 5, backoffMs: 1_000 },
  timeoutMs: 300_000,
  // A sweep is cheap to try, and everything waits for it.
  longestPauseMs: 5_000,
  concurrency: 4,
  // A run whose process died keeps its schedule from running (overlap policy SKIP) until another process takes it over.
  // Repeating a run costs little, so that happens within five seconds, where other queues take up to twenty.
  lockMs: 3_000,
  run: (deps, { scheduleId, runId }, { signal }) => runSchedule(deps, { scheduleId, runId, signal }),
  work: {
    effect: 'schedule-run',
    rows: ({ scheduleRuns }) => scheduleRuns,
    claim: async ({ scheduleRuns }, limit, newJobId) => {
      const runs = await scheduleRuns.claim(limit, newJobId);
      const jobs = runs.map(({ scheduleId, runId, ...ids }) => ({
        name: 'run-schedule',
        payload: { scheduleId, runId },
        ...ids,
      }));
      return { jobs, count: runs.length };
    },
    end: async ({ scheduleRuns }, { payload, error }) => {
      if (payload !== undefined) await scheduleRuns.finish(payload.runId, 'dead', error);
    },
    revive: ({ scheduleRuns }, { runId }) => scheduleRuns.revive(runId),
  },
});
