export { bind, type Handlers, type ServerStreamHandler, type ServiceBinding, type UnaryHandler } from './server/binding.ts';
export type { IncomingCall, Interceptor } from './server/chain.ts';
export { requireUser } from './server/require-user.ts';
export { startServer, type GrpcServer, type ServerOptions } from './server/server.ts';
export {
  createAuthenticator,
  type AccessKeys,
  type Authenticator,
  type AuthenticatorOptions,
} from './identity/authenticator.ts';
export { createRemoteAccessKeys, type RemoteAccessKeys } from './identity/remote-access-keys.ts';
export { connectToAuth, type AuthConnection } from './identity/auth-connection.ts';
export { createRevocationFollower, type RevocationFollower, type RevocationFollowerOptions } from './identity/revocation-follower.ts';
export { noRevocations, type Revocations, type TokenOrigin } from './identity/revocations.ts';
export { accessTokenRules } from './identity/rules.ts';
export { createServiceIdentity, type ServiceIdentity } from './identity/service-identity.ts';
export { createClient, type CallOptions, type ClientMethods, type ClientOptions, type ServiceClient, type StreamOptions } from './client/client.ts';
export type { BreakerOptions, BreakerState } from './client/breaker.ts';
export { CallError, openPublicClient, type PublicCallOptions, type PublicClient, type PublicClientOptions } from './client/public-client.ts';
export { patiently } from './client/patience.ts';
export { unpackDetails } from './wire/error-details.ts';
export { toStatusMessage } from './wire/status.ts';
export { openAccess, type Access } from './service/access.ts';
export { startApplication, type ServiceBase } from './service/application.ts';
export { openPorts, type ServicePorts } from './service/service-ports.ts';
