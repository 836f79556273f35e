export * from './gen/taskflow/tasks/v1/tasks_pb.js';
export * from './gen/taskflow/tasks/v1/projects_pb.js';
export * from './gen/taskflow/tasks/v1/comment_types_pb.js';
export * from './gen/taskflow/tasks/v1/comments_pb.js';
