export * from './gen/taskflow/tasks/v1/tasks_pb.js';
export * from './gen/taskflow/tasks/v1/projects_pb.js';
