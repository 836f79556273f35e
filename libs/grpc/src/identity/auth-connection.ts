import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { createClient, type ClientOptions } from '../client/client.ts';
import type { AccessKeys } from './authenticator.ts';
import { createRemoteAccessKeys } from './remote-access-keys.ts';
import { createRevocationFollower } from './revocation-follower.ts';
import type { Revocations } from './revocations.ts';

/** Everything that a service needs of auth to check access tokens by itself. */
export interface AuthConnection {
  accessKeys: AccessKeys;
  revocations: Revocations;
  /** For health: they fail for some seconds at most, so that a starting cluster is ready for its first call. */
  checks: Record<string, () => Promise<void>>;
  /** Begins to fetch and to follow, and keeps trying; nobody has to wait for it. */
  start(): void;
  /** Ends both, and the channel. */
  stop(): Promise<void>;
}

/** The connection of another service to auth: keys are fetched, revocations are followed. */
export function connectToAuth(options: Omit<ClientOptions, 'callee'>): AuthConnection {
  const { logger, metrics } = options;
  const auth = createClient(AuthServiceService, { ...options, callee: 'auth' });
  const internal = createClient(InternalAuthServiceService, { ...options, callee: 'auth' });
  const accessKeys = createRemoteAccessKeys({ fetch: () => auth.client.getJwks({}), logger });
  const revocations = createRevocationFollower({ watch: (signal) => internal.client.watchRevocations({}, { signal }), logger, metrics });
  return {
    accessKeys,
    revocations,
    checks: { accessKeys: () => accessKeys.check(), revocations: () => revocations.check() },
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
