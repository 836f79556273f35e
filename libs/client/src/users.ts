export * from './gen/taskflow/users/v1/users_pb.js';
