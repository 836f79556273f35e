export * from './gen/taskflow/audit/v1/audit_pb.js';
