import type { z } from 'zod';

/** One kind of job, as producers and workers must agree on it: written once, imported by both. */
export interface JobDefinition<Name extends string = string, P = unknown, Q extends string = string> {
  readonly name: Name;
  /** Jobs of one queue share its slots and are paused together; other queues go on. */
  readonly queue: Q;
  readonly payload: z.ZodType<P>;
  readonly retry: RetryPolicy;
  /** The time of one attempt. After it the run's signal fires, and the attempt counts as failed. */
  readonly timeoutMs: number;
}

export interface RetryPolicy {
  /** Attempts in all, at least 1. */
  readonly attempts: number;
  /**
   * The longest pause after the first failure. It doubles with each failure; up to half of it is taken off at random.
   */
  readonly backoffMs: number;
}

/** The names of the jobs in a list of definitions. */
export type JobName<J extends readonly JobDefinition[]> = J[number]['name'];

/** The names of the queues in a list of definitions. */
export type QueueName<J extends readonly JobDefinition[]> = J[number]['queue'];

/** The payload of the job called N. */
export type JobPayload<J extends readonly JobDefinition[], N extends JobName<J>> = z.output<
  Extract<J[number], { name: N }>['payload']
>;

/** One job to enqueue: its name with the payload that belongs to it. */
export type NewJob<J extends readonly JobDefinition[]> = {
  [N in JobName<J>]: { name: N; payload: JobPayload<J, N> } & EnqueueOptions;
}[JobName<J>];

export interface EnqueueOptions {
  /** From `newJobId()`, for a caller that records the id before the job exists. Default: a fresh one. */
  jobId?: string;
  /** The call that caused the job. Default: the running call. */
  callId?: string;
  traceParent?: string;
  /** The traceparents of other calls whose work the job does too. */
  links?: readonly string[];
}

/** Defines a job. Throws when a name is not in kebab-case. */
export function defineJob<const Name extends string, const Q extends string, P>(
  definition: JobDefinition<Name, P, Q>,
): JobDefinition<Name, P, Q> {
  for (const name of [definition.name, definition.queue]) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new Error(`jobs and queues have kebab-case names, not "${name}"`);
  }
  return definition;
}

/** The queues of the definitions, each once, in their order. */
export function queueNamesOf<const J extends readonly JobDefinition[]>(jobs: J): QueueName<J>[] {
  return [...new Set(jobs.map((job) => job.queue))];
}
