export * from './gen/taskflow/auth/v1/auth_pb.js';
export { Scope } from './gen/taskflow/policy/v1/policy_pb.js';
