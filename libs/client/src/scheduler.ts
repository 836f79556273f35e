export * from './gen/taskflow/scheduler/v1/jobs_pb.js';
export * from './gen/taskflow/scheduler/v1/notifications_pb.js';
export * from './gen/taskflow/scheduler/v1/scheduler_pb.js';
export * from './gen/taskflow/scheduler/v1/task_types_pb.js';
