export * from './gen/taskflow/server/v1/server_pb.js';
