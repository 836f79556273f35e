import { AuthServiceService } from '#contract/auth/v1/auth';
import { createClient, createRemoteAccessKeys, type ClientOptions, type RemoteAccessKeys } from '#libs/grpc';

/** auth's public keys; `stop` ends the fetching and the channel. */
export function openAccessKeys(options: Omit<ClientOptions, 'callee'>): RemoteAccessKeys {
  const auth = createClient(AuthServiceService, { ...options, callee: 'auth' });
  const keys = createRemoteAccessKeys({ fetch: () => auth.client.getJwks({}), logger: options.logger });
  return {
    ...keys,
    stop: async () => {
      await keys.stop();
      auth.close();
    },
  };
}
