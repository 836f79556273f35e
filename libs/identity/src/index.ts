export { createAuthenticator, type AccessKeys } from './authenticator.ts';
export { formatPersonalToken, isPersonalToken, personalTokenPrefix } from './personal-token-format.ts';
export type { CheckPersonalToken } from './personal-tokens.ts';
export { createRemoteAccessKeys } from './remote-access-keys.ts';
export { connectToAuth } from './auth-connection.ts';
export {
  createRevocationFollower,
  type RevocationFollower,
  type RevocationFollowerOptions,
} from './revocation-follower.ts';
export { noRevocations, type Revocations } from './revocations.ts';
export { accessTokenRules } from './rules.ts';
export { createServiceIdentity, type ServiceIdentity } from './service-identity.ts';
export { createStanding } from './standing.ts';
