import type { z } from 'zod';

/** What producers and workers must agree on about one kind of job; written once, imported by both. */
export interface JobDefinition<Name extends string = string, P = unknown> {
  readonly name: Name;
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
}

/** Defines a job. Throws when the name cannot be used. */
export function defineJob<const Name extends string, P>(definition: {
  name: Name;
  payload: z.ZodType<P>;
  retry: RetryPolicy;
  timeoutMs: number;
}): JobDefinition<Name, P> {
  if (!/^[a-z][a-z0-9-]*$/.test(definition.name)) throw new Error(`a job's name is kebab-case, not "${definition.name}"`);
  return definition;
}
