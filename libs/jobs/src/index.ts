export { defineJob, type JobDefinition, type NewJob, type QueueName } from './definition.ts';
export { type DeadJob } from './dead-letters.ts';
export { type LiveJob, type QueueState } from './inspection.ts';
export { UnsafeRedisError } from './eviction-policy.ts';
export { PermanentJobError, RetryLater } from './outcomes.ts';
export { createJobQueue, newJobId, type JobQueue } from './queue.ts';
export { type JobRun } from './run-job.ts';
export { createJobWorker, type JobHandlers, type JobWorker } from './worker.ts';
