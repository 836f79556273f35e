import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { AccessKeys } from './authenticator.ts';
import type { CheckPersonalToken } from './personal-tokens.ts';
import { createRemoteAccessKeys } from './remote-access-keys.ts';
import { createRevocationFollower, type RevocationFollowerOptions } from './revocation-follower.ts';
import type { Revocations } from './revocations.ts';
import type { ServiceIdentity } from './service-identity.ts';

/** What a service needs of auth to check tokens. */
export interface AuthConnection {
  accessKeys: AccessKeys;
  revocations: Revocations;
  /** Asks auth about a personal token. */
  checkPersonalToken: CheckPersonalToken;
  /** For health. Missing keys and revocations fail only in the first seconds. */
  checks: Record<string, () => Promise<void>>;
  /** Starts to fetch keys and to follow revocations, in the background. */
  start(): void;
  /** Ends both and closes the channel. */
  stop(): Promise<void>;
}

/** Connects a service to auth, to fetch keys, to follow revocations and to ask about personal tokens. */
export function connectToAuth({
  clock,
  ...options
}: Omit<ClientOptions, 'callee'> & { identity: ServiceIdentity } & Pick<
    RevocationFollowerOptions,
    'clock'
  >): AuthConnection {
  const { logger, metrics, identity } = options;
  const auth = createClient(AuthServiceService, { ...options, callee: 'auth' });
  const internal = createClient(InternalAuthServiceService, { ...options, callee: 'auth' });
  const accessKeys = createRemoteAccessKeys({ fetch: () => auth.client.getJwks({}), logger });
  const revocations = createRevocationFollower({
    watch: (signal) => internal.client.watchRevocations({}, { signal }),
    logger,
    metrics,
    ...(clock !== undefined && { clock }),
  });
  return {
    accessKeys,
    revocations,
    checkPersonalToken: (tokenHash) => internal.client.checkPersonalToken({ tokenHash: Buffer.from(tokenHash) }),
    checks: {
      accessKeys: () => accessKeys.check(),
      revocations: () => revocations.check(),
      identity: () => identity.standing.check(),
    },
    start: () => {
      void accessKeys.start();
      revocations.start();
    },
    stop: async () => {
      await Promise.all([accessKeys.stop(), revocations.stop()]);
      auth.close();
      internal.close();
    },
  };
}
