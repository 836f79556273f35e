import { AuthServiceService } from '#contract/auth/v1/auth';
import { createClient } from '../client/client.ts';
import type { AccessKeys } from '../identity/authenticator.ts';
import { createRemoteAccessKeys } from '../identity/remote-access-keys.ts';
import type { ServiceBase } from './application.ts';

/** The keys that users' tokens are checked with, and what health asks of them. */
export interface AccessSource {
  accessKeys: AccessKeys;
  checks: Record<string, () => Promise<void>>;
}

/**
 * auth's public keys over the network, as a part of the service. Nobody waits for them: a service serves while auth is
 * down, and calls that need a key say that it is missing. `given` keys are used instead, without a connection.
 */
export function openAccessKeys({ identity, logger, metrics, parts }: ServiceBase, address: string, given?: AccessKeys): AccessSource {
  if (given !== undefined) return { accessKeys: given, checks: {} };
  const { client, close } = createClient(AuthServiceService, { callee: 'auth', address, identity, logger, metrics });
  const keys = createRemoteAccessKeys({ fetch: () => client.getJwks({}), logger });
  parts.add({
    name: 'access keys',
    stop: async () => {
      await keys.stop();
      close();
    },
  });
  void keys.start();
  return { accessKeys: keys, checks: { accessKeys: () => keys.check() } };
}
