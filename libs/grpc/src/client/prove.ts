import type { Metadata } from '@grpc/grpc-js';
import type { ServiceName } from '#libs/contract';
import type { Certificates } from '#libs/runtime';
import { serviceTokenKey } from '../wire/metadata.ts';
import type { AttemptOptions } from './attempt.ts';

/** The identity by which a service calls others. */
export interface ClientIdentity {
  /** A token for the metadata "x-taskflow-service" of calls to that service, valid for at least 20 seconds. */
  tokenFor(callee: ServiceName): Promise<string>;
  /** After the callee refused the token: whether a new one may be accepted. If so, forgets the old one. */
  renew(callee: ServiceName, token: string): Promise<boolean>;
  /** By which connections are secured. Without: plaintext. */
  readonly certificates?: Certificates | undefined;
  readonly standing: {
    /** Records whether a callee accepted the identity. */
    note(callee: ServiceName, accepted: boolean): void;
  };
}

interface ProofOptions {
  identity: ClientIdentity;
  callee: ServiceName;
  metadata: Metadata;
  /** Whether the callee checks the identity. If not, a success does not prove that it is accepted. */
  isAsked: boolean;
}

/**
 * Makes a call with the token of this service. When the callee refuses the token, makes the call once more with a new
 * one, because the clock may have been wrong when the token was signed.
 */
export async function proveIdentity<T>(
  { identity, callee, metadata, isAsked }: ProofOptions,
  attempt: (onIdentity: AttemptOptions['onIdentity']) => Promise<T>,
): Promise<T> {
  const token = await identity.tokenFor(callee);
  metadata.set(serviceTokenKey, token);
  let refused = false;
  const onIdentity: AttemptOptions['onIdentity'] = (outcome) => {
    refused = outcome === 'refused';
    if (refused || (isAsked && outcome === 'accepted')) identity.standing.note(callee, !refused);
  };
  try {
    return await attempt(onIdentity);
  } catch (error) {
    if (!refused || !(await identity.renew(callee, token))) throw error;
    metadata.set(serviceTokenKey, await identity.tokenFor(callee));
    return attempt(onIdentity);
  }
}
