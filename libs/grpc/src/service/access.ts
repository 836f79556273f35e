import { connectToAuth } from '../identity/auth-connection.ts';
import type { AccessKeys } from '../identity/authenticator.ts';
import { noRevocations, type Revocations } from '../identity/revocations.ts';
import type { ServiceBase } from './application.ts';

/** What users' tokens are checked with, and what health asks of it. */
export interface Access {
  accessKeys: AccessKeys;
  revocations: Revocations;
  checks: Record<string, () => Promise<void>>;
}

/**
 * auth's keys and revocations over the network, as a part of the service. Nobody waits for them: a service serves while auth
 * is down, and calls that need a key say that it is missing. `given` keys are used instead, without a connection.
 */
export function openAccess({ identity, logger, metrics, parts }: ServiceBase, address: string, given?: AccessKeys): Access {
  if (given !== undefined) return { accessKeys: given, revocations: noRevocations, checks: {} };
  const auth = connectToAuth({ address, identity, logger, metrics });
  parts.add({ name: 'connection to auth', stop: () => auth.stop() });
  auth.start();
  return auth;
}
