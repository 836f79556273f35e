export { defineJob, type EnqueueOptions, type JobDefinition, type JobName, type JobPayload, type NewJob } from './definition.ts';
export { type DeadJob, type DeadLetters } from './dead-letters.ts';
export { UnsafeRedisError } from './eviction-policy.ts';
export { isPermanent, PermanentJobError, RetryLater } from './outcomes.ts';
export { createJobQueue, newJobId, type JobQueue, type QueueOptions } from './queue.ts';
export { type JobRun } from './run-job.ts';
export { createJobWorker, type JobHandlers, type JobWorker, type WorkerOptions } from './worker.ts';
