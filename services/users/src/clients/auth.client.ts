import { AuthServiceService } from '#contract/auth/v1/auth';
import { createClient, createRemoteAccessKeys, type RemoteAccessKeys, type ServiceIdentity } from '#libs/grpc';
import type { Logger, Metrics } from '#libs/runtime';

export interface AuthClientOptions {
  address: string;
  identity: ServiceIdentity;
  logger: Logger;
  metrics: Metrics;
}

/** auth's published keys, with the channel that they come through; whoever opens them stops them. */
export function openAccessKeys({ logger, ...options }: AuthClientOptions): RemoteAccessKeys {
  const { client, close } = createClient(AuthServiceService, { callee: 'auth', logger, ...options });
  const keys = createRemoteAccessKeys({ fetch: () => client.getJwks({}), logger });
  return {
    ...keys,
    stop: async () => {
      await keys.stop();
      close();
    },
  };
}
