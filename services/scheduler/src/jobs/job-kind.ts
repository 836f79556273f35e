import { defineJob, type JobDefinition, type JobRun } from '#libs/jobs';
import type { Repositories, SchedulerDeps } from '../deps.ts';
import type { JobWork, RecordedWork } from '../domain/jobs/job-work.ts';

/** Everything about one kind of job; the queue, its workers, the dispatcher and the reconciler derive from it. */
export interface JobKind<Name extends string = string, P = unknown, Q extends string = string> extends JobDefinition<
  Name,
  P,
  Q
> {
  /** Jobs of the queue that one process runs at the same time. */
  readonly concurrency: number;
  /** How long a process may give no sign of life before its jobs run elsewhere; 15 s when absent. */
  readonly lockMs?: number;
  /** The longest pause of a job that an outage postpones. */
  readonly longestPauseMs: number;
  run(deps: SchedulerDeps, payload: P, run: JobRun): Promise<void>;
  /** When absent, Redis may lose its jobs; the code that wants them calls `queue.enqueue` after the commit. */
  readonly work?: RecordedWork<Repositories, P>;
}

/** Defines a kind of job. Throws when a name cannot be used. */
export function defineKind<const Name extends string, const Q extends string, P>(
  kind: JobKind<Name, P, Q>,
): JobKind<Name, P, Q> {
  return { ...kind, ...defineJob(kind) };
}

/** Checks the payloads of dead jobs: one that breaks the schema has no rows that this release knows. */
export function toJobWork<P>({ name, payload: schema, work }: JobKind<string, P>): JobWork<Repositories>[] {
  if (work === undefined) return [];
  const checked: JobWork<Repositories> = {
    ...work,
    name,
    end: (repositories, death) => work.end(repositories, { ...death, payload: schema.safeParse(death.payload).data }),
    revive: async (repositories, payload) => {
      const known = schema.safeParse(payload);
      return known.success ? work.revive(repositories, known.data) : undefined;
    },
  };
  return [checked];
}
