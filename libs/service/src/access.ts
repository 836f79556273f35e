import {
  connectToAuth,
  noRevocations,
  type AccessKeys,
  type CheckPersonalToken,
  type Revocations,
} from '#libs/identity';
import type { ServiceBase } from './application.ts';

/** What checks users' tokens, with its health checks. */
export interface Access {
  accessKeys: AccessKeys;
  revocations: Revocations;
  /** Absent: no personal token is valid. */
  checkPersonalToken?: CheckPersonalToken;
  checks: Record<string, () => Promise<void>>;
}

/**
 * Connects to auth for keys and revocations, in the background: a service serves while auth is down, except for calls
 * that need a key. With `given` keys there is no connection.
 */
export function openAccess(
  { identity, clock, logger, metrics, parts }: ServiceBase,
  address: string,
  given?: AccessKeys,
): Access {
  if (given !== undefined) return { accessKeys: given, revocations: noRevocations, checks: {} };
  const auth = connectToAuth({ address, identity, clock, logger, metrics });
  parts.add({ name: 'connection to auth', stop: () => auth.stop() });
  auth.start();
  return auth;
}
