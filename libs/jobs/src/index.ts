export { defineJob, queueNamesOf, type EnqueueOptions, type JobDefinition, type JobName, type JobPayload, type NewJob, type QueueName } from './definition.ts';
export { type DeadJob, type DeadLetters } from './dead-letters.ts';
export { type JobFailure } from './failures.ts';
export { type LiveJob, type QueueState } from './inspection.ts';
export { UnsafeRedisError } from './eviction-policy.ts';
export { isPermanent, PermanentJobError, RetryLater } from './outcomes.ts';
export { createJobQueue, newJobId, type JobQueue, type QueueOptions } from './queue.ts';
export { type JobRun } from './run-job.ts';
export { createJobWorker, type JobHandlers, type JobWorker, type WorkerOptions } from './worker.ts';
