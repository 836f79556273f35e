/** What is the same over gRPC and in browsers. `connect` and `createTaskFlow` stand in `./node` and `./web`. */
export { create, toJson, fromJson, type MessageInitShape } from '@bufbuild/protobuf';
export { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
export { inBatches, type BatchedResult } from './batches.ts';
export {
  serviceNames,
  type Addresses,
  type Connection,
  type ConnectionOptions,
  type ServiceName,
  type ServiceOptions,
} from './connection.ts';
export { personalToken, type Credentials } from './credentials.ts';
export type { FieldViolation } from './error-details.ts';
export { TaskFlowError, type ErrorCode } from './errors.ts';
export type { ErrorReason } from './gen/reasons.ts';
export { itemsOf, pagesOf } from './pages.ts';
export { retried, retry, type RetryOptions } from './retry.ts';
export type { CallOptions, ServiceClient, StreamCall, UnaryCall } from './service-client.ts';
export { Session, type Account, type SessionOptions } from './session.ts';
export type { TaskFlow, TaskFlowCredentials } from './taskflow.ts';
export {
  memoryTokenStore,
  webTokenStore,
  type SessionTokens,
  type TokenStore,
  type WebStorage,
} from './token-store.ts';
export { watchTasks, type ListCause, type TaskUpdate, type WatchTasksOptions } from './watch-tasks.ts';
