import { importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { ServiceName } from '#libs/contract';
import { serviceTokenRules } from './rules.ts';

/** What a service proves to others that it is. */
export interface ServiceIdentity {
  readonly service: ServiceName;
  /** A token for the metadata "x-taskflow-service" of calls to that service; good for 60 seconds, made anew in time. */
  tokenFor(callee: ServiceName): Promise<string>;
}

// A token is not handed out any more when it has less than this to live.
const reserveMs = 20_000;

/** The identity that a service signs with its own private Ed25519 key. */
export function createServiceIdentity({ service, privateKey }: { service: ServiceName; privateKey: JWK }): ServiceIdentity {
  const { algorithm, typ, lifetimeSeconds } = serviceTokenRules;
  const tokens = new Map<ServiceName, { token: Promise<string>; freshUntil: number }>();
  let key: Promise<CryptoKey> | undefined;

  const sign = async (callee: ServiceName, now: number): Promise<string> => {
    key ??= importJWK(privateKey, algorithm) as Promise<CryptoKey>;
    const issuedAt = Math.floor(now / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm, typ, kid: service })
      .setIssuer(service)
      .setAudience(callee)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(await key);
  };

  return {
    service,
    tokenFor: (callee) => {
      const now = Date.now();
      const known = tokens.get(callee);
      if (known !== undefined && known.freshUntil > now) return known.token;
      const token = sign(callee, now);
      tokens.set(callee, { token, freshUntil: now + lifetimeSeconds * 1000 - reserveMs });
      return token;
    },
  };
}
