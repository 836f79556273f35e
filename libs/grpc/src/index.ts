export { bind, type Handlers, type ServiceBinding } from './server/binding.ts';
export type { Interceptor } from './interceptors/chain.ts';
export { requireUser } from './server/require-user.ts';
export { maxMessageBytes, startServer, type GrpcServer, type ServerOptions } from './server/server.ts';
export type { Authenticator } from './interceptors/authenticate.ts';
export { createClient, type CallOptions, type ClientOptions, type ServiceClient } from './client/client.ts';
export { breakersOf, type BreakerList, type ListedBreaker } from './client/breaker-list.ts';
export type { BreakerState } from './client/breaker.ts';
export type { ClientIdentity } from './client/prove.ts';
export { channelCredentials } from './client/channel-credentials.ts';
export {
  CallError,
  openPublicClient,
  type PublicCallOptions,
  type PublicClient,
  type PublicClientOptions,
} from './client/public-client.ts';
export { retry } from './client/retry.ts';
export { unpackDetails } from './wire/error-details.ts';
export { toStatusMessage } from './wire/status.ts';
