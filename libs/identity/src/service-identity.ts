import { importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { ServiceName } from '#libs/contract';
import type { ClientIdentity } from '#libs/grpc';
import { systemClock, type Certificates, type Clock } from '#libs/runtime';
import { serviceTokenRules } from './rules.ts';
import { createStanding, type Standing } from './standing.ts';

/** The identity of a service. */
export interface ServiceIdentity extends ClientIdentity {
  readonly service: ServiceName;
  /** Whether callees accept this identity. */
  readonly standing: Standing;
}

interface ServiceIdentityOptions {
  service: ServiceName;
  privateKey: JWK;
  /** Must agree with the clocks of the callees, up to some seconds. */
  clock?: Clock;
  standing?: Standing;
  certificates?: Certificates | undefined;
}

// A token with less time left is not used any more.
const reserveMs = 20_000;
const handedOutMs = serviceTokenRules.lifetimeSeconds * 1000 - reserveMs;
/** A new token within this time would be the same. */
const sameMs = 1_000;

interface MintedToken {
  token: Promise<string>;
  /** By the clock, in milliseconds since 1970. */
  issueTime: number;
  /** By `performance.now`. */
  mintedAt: number;
}

/** Signs tokens with the service's private Ed25519 key. Without a `kid`, the key id is the name of the service. */
export function createServiceIdentity({
  service,
  privateKey,
  clock = systemClock,
  standing = createStanding(),
  certificates,
}: ServiceIdentityOptions): ServiceIdentity {
  const { algorithm, typ, lifetimeSeconds } = serviceTokenRules;
  const tokens = new Map<ServiceName, MintedToken>();
  let key: Promise<CryptoKey> | undefined;

  const sign = async (callee: ServiceName, now: number): Promise<string> => {
    key ??= importJWK(privateKey, algorithm) as Promise<CryptoKey>;
    const issuedAt = Math.floor(now / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, typ, kid: privateKey.kid ?? service })
      .setIssuer(service)
      .setAudience(callee)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(await key);
  };

  /** By both clocks, so that a token of a wrong time is not kept, whichever of them stepped. */
  const isYoungerThan = ({ issueTime, mintedAt }: MintedToken, ms: number): boolean => {
    const age = clock.now().getTime() - issueTime;
    return age >= 0 && age < ms && performance.now() - mintedAt < ms;
  };

  return {
    service,
    standing,
    certificates,
    tokenFor: (callee) => {
      const known = tokens.get(callee);
      if (known !== undefined && isYoungerThan(known, handedOutMs)) return known.token;
      const issueTime = clock.now().getTime();
      const token = sign(callee, issueTime);
      tokens.set(callee, { token, issueTime, mintedAt: performance.now() });
      return token;
    },
    renew: async (callee, token) => {
      const known = tokens.get(callee);
      // Another call has already renewed it.
      if (known === undefined || (await known.token) !== token) return true;
      if (isYoungerThan(known, sameMs)) return false;
      tokens.delete(callee);
      return true;
    },
  };
}
