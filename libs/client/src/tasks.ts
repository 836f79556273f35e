export * from './gen/taskflow/tasks/v1/tasks_pb.js';
