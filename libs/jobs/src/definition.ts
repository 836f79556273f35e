import type { z } from 'zod';

/** What producers and workers must agree on about one kind of job; written once, imported by both. */
export interface JobDefinition<Name extends string = string, P = unknown, Q extends string = string> {
  readonly name: Name;
  /** Jobs of one queue share its slots and are paused together; those of another go on. */
  readonly queue: Q;
  readonly payload: z.ZodType<P>;
  readonly retry: RetryPolicy;
  /** One attempt's time; after it the run's signal fires and the attempt counts as failed. */
  readonly timeoutMs: number;
}

export interface RetryPolicy {
  /** How often the job is tried in all, at least 1. */
  readonly attempts: number;
  /** The pause after the first failure; it doubles with each further one, less up to half of it at random. */
  readonly backoffMs: number;
}

/** The names that a list of definitions knows. */
export type JobName<J extends readonly JobDefinition[]> = J[number]['name'];

/** The queues that a list of definitions uses. */
export type QueueName<J extends readonly JobDefinition[]> = J[number]['queue'];

/** The payload of the job called N. */
export type JobPayload<J extends readonly JobDefinition[], N extends JobName<J>> = z.output<Extract<J[number], { name: N }>['payload']>;

/** One job to enqueue: its name with the payload that belongs to it. */
export type NewJob<J extends readonly JobDefinition[]> = {
  [N in JobName<J>]: { name: N; payload: JobPayload<J, N> } & EnqueueOptions;
}[JobName<J>];

export interface EnqueueOptions {
  /** From `newJobId()`, when the caller wants to record it before the job exists. Fresh when absent. */
  jobId?: string;
  /** The call that caused the job; the running call's when absent. */
  callId?: string;
  traceParent?: string;
  /** Of the other calls whose work the job does as well. */
  links?: readonly string[];
}

/** Defines a job. Throws when a name cannot be used. */
export function defineJob<const Name extends string, const Q extends string, P>(definition: {
  name: Name;
  queue: Q;
  payload: z.ZodType<P>;
  retry: RetryPolicy;
  timeoutMs: number;
}): JobDefinition<Name, P, Q> {
  for (const name of [definition.name, definition.queue]) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new Error(`jobs and queues have kebab-case names, not "${name}"`);
  }
  return definition;
}

/** The queues of the definitions, each once, in their order. */
export function queueNamesOf<const J extends readonly JobDefinition[]>(jobs: J): QueueName<J>[] {
  return [...new Set(jobs.map((job) => job.queue))];
}
