export { bind, type Handlers, type ServiceBinding } from './server/binding.ts';
export type { Interceptor } from './interceptors/chain.ts';
export { requireUser, requireUserOrEnded } from './server/require-user.ts';
export { maxMessageBytes, startServer, type GrpcServer, type ServerOptions } from './server/server.ts';
export type { Authenticator } from './interceptors/authenticate.ts';
export { createClient, type CallOptions, type ClientOptions, type ServiceClient } from './client/client.ts';
export { breakersOf, type BreakerList, type ListedBreaker } from './client/breaker-list.ts';
export type { BreakerState } from './client/breaker.ts';
export type { ClientIdentity } from './client/prove.ts';
export { channelCredentials } from './client/channel-credentials.ts';
export { unpackDetails } from './wire/error-details.ts';
export { credentialsMissing } from './interceptors/authorize.ts';
export { toStatusCode, toStatusMessage } from './wire/status.ts';
export {
  openForwarder,
  toFailure,
  type CallFailure,
  type ClientCall,
  type Forwarder,
  type ForwardedRoute,
} from './forwarding/forwarder.ts';
export { toLibraryError, toEvictionError } from './transport/watch-call.ts';
export { openConcurrencyLimiter, type ConcurrencyLimiter, type Permit } from './transport/concurrency-limiter.ts';
export { createDecompressor } from './transport/decompress.ts';
export { overloaded } from './transport/early-rejection.ts';
export { listen, type Listener } from './transport/listener.ts';
export { createPeerResolver } from './transport/peer-address.ts';
export { openGuard, type PeerGuardOptions } from './transport/peer-guard.ts';
export { countRefusals, createRefusalLog, type UnreadCall } from './transport/refusal-log.ts';
export { idsOf, textHeader } from './transport/refuse-faulty.ts';
export { openHandshakes, type Handshakes, type HandshakesOptions } from './transport/handshakes.ts';
export { findSizeFault } from './transport/request-headers.ts';
export { parseTimeout } from './wire/call-timeout.ts';
