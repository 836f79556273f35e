export * from './gen/taskflow/export/v1/export_pb.js';
