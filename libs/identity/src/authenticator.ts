import { hash } from 'node:crypto';
import {
  importJWK,
  jwtVerify,
  type CryptoKey,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { serviceNames, type ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import type { Authenticator } from '#libs/grpc';
import { decodeCanonical, systemClock, type Clock, type Logger, type UserActor } from '#libs/runtime';
import { personalTokenPrefix } from './personal-token-format.ts';
import { createPersonalTokens, type CheckPersonalToken } from './personal-tokens.ts';
import { noRevocations, type Revocations } from './revocations.ts';
import { accessTokenRules, isKeyOf, maxTokenBytes, serviceTokenRules } from './rules.ts';

/** The public keys of access tokens, by key id. Throws AppError KEYS_UNAVAILABLE before the first key has arrived. */
export interface AccessKeys {
  get(kid: string): Promise<CryptoKey | undefined>;
}

export interface AuthenticatorOptions {
  /** The checking service, which service tokens must name as their audience. */
  service: ServiceName;
  accessKeys: AccessKeys;
  /** The keys of all services. `isKeyOf` finds the owner of a key. */
  servicePublicKeys: JSONWebKeySet;
  /** Checked at every call, after the cache. Default: no token is revoked. */
  revocations?: Pick<Revocations, 'isRevoked'>;
  clock?: Clock;
  /** Where personal tokens are known. Default: none is valid. */
  personalTokens?: { check: CheckPersonalToken; logger: Logger } | undefined;
}

const cachedTokens = 10_000;
/** How much the clocks of two services may differ. */
const leewaySeconds = 5;

function invalidToken(error: unknown): AppError {
  // Only the text: errors of the library carry the token's claims.
  const cause = error instanceof Error ? error.message : String(error);
  return new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid', { cause });
}

/** Turns every failure into the same TOKEN_INVALID, except those that are not the token's fault. */
async function refuseUnless<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    throw error instanceof AppError && error.kind !== 'unauthenticated' ? error : invalidToken(error);
  }
}

interface Verified<T> {
  value: T;
  expiresAt: number;
}

/** Whether each part of a token has its canonical spelling. jose accepts other spellings of the same bytes. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => decodeCanonical(part, 'base64url') !== undefined);
}

/**
 * Adds size limit, canonical spelling, a cache and the common error to the check of one kind of token. The cache saves
 * the check of the signature (hundreds of microseconds) until the token expires. Its keys are hashes, not tokens.
 */
function verifier<T>(clock: Clock, verify: (token: string) => Promise<Verified<T>>): (token: string) => Promise<T> {
  // It measures ages by the monotonic clock. The token must be valid by the given clock too, because either may step.
  const cache = new LRUCache<string, Verified<T>>({ max: cachedTokens });
  return (token) =>
    refuseUnless(async () => {
      if (token.length > maxTokenBytes) throw new Error('too long');
      const key = hash('sha256', token, 'base64');
      const known = cache.get(key);
      if (known !== undefined && known.expiresAt > clock.now().getTime()) return known.value;
      if (!isCanonical(token)) throw new Error('not canonical');
      const verified = await verify(token);
      const ttl = verified.expiresAt - clock.now().getTime();
      if (ttl > 0) cache.set(key, verified, { ttl });
      return verified.value;
    });
}

function kidOf({ kid }: JWTHeaderParameters): string {
  if (typeof kid !== 'string' || kid === '') throw new Error('the token names no key');
  return kid;
}

function textClaim(payload: JWTPayload, name: string): string {
  const value = payload[name];
  if (typeof value !== 'string' || value === '') throw new Error(`the claim ${name} is not a text`);
  return value;
}

/** JSON can also contain infinite numbers, such as 1e999. */
function secondsClaim(payload: JWTPayload, name: 'exp' | 'iat'): number {
  const value = payload[name];
  if (!Number.isFinite(value)) throw new Error(`the claim ${name} is not a time`);
  return Number(value);
}

interface KnownUser {
  actor: UserActor;
  issuedAt: number;
}

function userVerifier(accessKeys: AccessKeys, clock: Clock): (token: string) => Promise<KnownUser> {
  const { issuer, audience, typ, algorithm, requiredClaims } = accessTokenRules;
  const options = { issuer, audience, typ, algorithms: [algorithm], requiredClaims: [...requiredClaims] };
  const findKey = async (header: JWTHeaderParameters): Promise<CryptoKey> => {
    const key = await accessKeys.get(kidOf(header));
    if (key === undefined) throw new Error('unknown key');
    return key;
  };
  return verifier(clock, async (token) => {
    const { payload } = await jwtVerify(token, findKey, { ...options, currentDate: clock.now() });
    const role = textClaim(payload, 'role');
    if (role !== 'user' && role !== 'admin') throw new Error('unknown role');
    textClaim(payload, 'jti');
    const actor: UserActor = {
      kind: 'user',
      userId: textClaim(payload, 'sub'),
      role,
      sessionId: textClaim(payload, 'sid'),
    };
    return {
      value: { actor, issuedAt: secondsClaim(payload, 'iat') * 1000 },
      expiresAt: secondsClaim(payload, 'exp') * 1000,
    };
  });
}

/** The end of a service token, in milliseconds since 1970: at most its lifetime after its issue, whatever it claims. */
function endOfServiceToken(payload: JWTPayload, now: Date): number {
  const { lifetimeSeconds } = serviceTokenRules;
  const [issueTime, expireTime] = [secondsClaim(payload, 'iat'), secondsClaim(payload, 'exp')];
  const endTime = (issueTime + lifetimeSeconds) * 1000;
  if (expireTime - issueTime > lifetimeSeconds + leewaySeconds) throw new Error('the token claims to live too long');
  if (endTime <= now.getTime()) throw new Error('the token is too old');
  return Math.min(endTime, expireTime * 1000);
}

function serviceVerifier(
  { service, servicePublicKeys }: AuthenticatorOptions,
  clock: Clock,
): (token: string) => Promise<ServiceName> {
  const { typ, algorithm, requiredClaims, lifetimeSeconds } = serviceTokenRules;
  const options = {
    audience: service,
    typ,
    algorithms: [algorithm],
    requiredClaims: [...requiredClaims],
    maxTokenAge: lifetimeSeconds,
    clockTolerance: leewaySeconds,
  };
  const keys = new Map<string, Promise<CryptoKey>>();
  const keyOf = async (kid: string): Promise<CryptoKey> => {
    const jwk = servicePublicKeys.keys.find((candidate) => candidate.kid === kid);
    if (jwk === undefined) throw new Error('unknown key');
    const key = keys.get(kid) ?? (importJWK(jwk, algorithm) as Promise<CryptoKey>);
    keys.set(kid, key);
    return key;
  };
  return verifier(clock, async (token) => {
    const now = clock.now();
    const { payload, protectedHeader } = await jwtVerify(token, (header: JWTHeaderParameters) => keyOf(kidOf(header)), {
      ...options,
      currentDate: now,
    });
    const value = serviceNames.find((name) => name === payload.iss);
    // Without this check, the holder of any service's key could pose as any other service.
    if (value === undefined || !isKeyOf(value, kidOf(protectedHeader)))
      throw new Error('the token is not signed by its issuer');
    return { value, expiresAt: endOfServiceToken(payload, now) };
  });
}

function bearerToken(authorization: string): string {
  const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization) ?? [];
  if (token === undefined) throw invalidToken(new Error('not a bearer token'));
  return token;
}

/** Checks access tokens and service tokens for one service. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { revocations = noRevocations, clock = systemClock } = options;
  const verifyAccessToken = userVerifier(options.accessKeys, clock);
  const verifyService = serviceVerifier(options, clock);
  const verifyPersonalToken =
    options.personalTokens && createPersonalTokens({ ...options.personalTokens, revocations, clock });
  const verifyUser = async (token: string, isOpen: boolean, acceptsEnded: boolean): Promise<UserActor> => {
    if (verifyPersonalToken !== undefined && token.startsWith(personalTokenPrefix))
      return refuseUnless(() => verifyPersonalToken(token, isOpen));
    const { actor, issuedAt } = await verifyAccessToken(token);
    if (!revocations.isRevoked({ sessionId: actor.sessionId, userId: actor.userId, issuedAt })) return actor;
    if (acceptsEnded) return { ...actor, ended: true };
    throw invalidToken(new Error('revoked'));
  };
  return async ({ authorization, serviceToken, isOpen = false, acceptsEnded = false }) => ({
    ...(authorization !== undefined && {
      user: await verifyUser(bearerToken(authorization), isOpen, acceptsEnded),
    }),
    ...(serviceToken !== undefined && { service: await verifyService(serviceToken) }),
  });
}
