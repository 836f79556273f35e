import { importJWK, jwtVerify, type CryptoKey, type JSONWebKeySet, type JWTHeaderParameters, type JWTPayload } from 'jose';
import { serviceNames, type ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import type { UserActor } from '#libs/runtime';
import { noRevocations, type Revocations } from './revocations.ts';
import { accessTokenRules, maxTokenBytes, serviceTokenRules } from './rules.ts';
import { createTokenCache } from './token-cache.ts';

/** The metadata that carries the token of a calling service. */
export const serviceTokenKey = 'x-taskflow-service';

/** The public keys that access tokens are signed with, by key id. Throws AppError KEYS_UNAVAILABLE while there are none yet. */
export interface AccessKeys {
  get(kid: string): Promise<CryptoKey | undefined>;
}

/**
 * Tells who the credentials belong to; nobody when there are none. Throws UNAUTHENTICATED / TOKEN_INVALID when one of them
 * does not hold, always with the same message, and UNAVAILABLE / KEYS_UNAVAILABLE when it cannot be checked yet.
 */
export type Authenticator = (credentials: {
  /** The metadata "authorization": "Bearer …". */
  authorization?: string | undefined;
  /** The metadata "x-taskflow-service". */
  serviceToken?: string | undefined;
}) => Promise<{ user?: UserActor; service?: ServiceName }>;

export interface AuthenticatorOptions {
  /** The service that checks: the audience that the tokens of other services must name. */
  service: ServiceName;
  accessKeys: AccessKeys;
  /** Of all services; kid = service name. */
  servicePublicKeys: JSONWebKeySet;
  /** Asked at every call, after the cache; left out: no token is ever revoked. */
  revocations?: Pick<Revocations, 'isRevoked'>;
}

const cachedTokens = 10_000;

function invalidToken(error: unknown): AppError {
  // Only the text: errors of the library carry the token's claims.
  const cause = error instanceof Error ? error.message : String(error);
  return new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid', { cause });
}

/** Any failure becomes the one answer; only "cannot be checked now" is told apart, since it is not the token's fault. */
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

/** Wraps the check of one kind of token with the size limit, the cache and the one answer to all failures. */
function verifier<T>(verify: (token: string) => Promise<Verified<T>>): (token: string) => Promise<T> {
  const cache = createTokenCache<T>(cachedTokens);
  return (token) =>
    refuseUnless(async () => {
      if (token.length > maxTokenBytes) throw new Error('too long');
      const known = cache.find(token);
      if (known !== undefined) return known;
      const { value, expiresAt } = await verify(token);
      cache.remember(token, value, expiresAt);
      return value;
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

const expiryOf = (payload: JWTPayload): number => (payload.exp ?? 0) * 1000;

interface KnownUser {
  actor: UserActor;
  issuedAt: number;
}

function userVerifier(accessKeys: AccessKeys): (token: string) => Promise<KnownUser> {
  const { issuer, audience, typ, algorithm, requiredClaims } = accessTokenRules;
  const options = { issuer, audience, typ, algorithms: [algorithm], requiredClaims: [...requiredClaims] };
  const findKey = async (header: JWTHeaderParameters): Promise<CryptoKey> => {
    const key = await accessKeys.get(kidOf(header));
    if (key === undefined) throw new Error('unknown key');
    return key;
  };
  return verifier(async (token) => {
    const { payload } = await jwtVerify(token, findKey, options);
    const role = textClaim(payload, 'role');
    if (role !== 'user' && role !== 'admin') throw new Error('unknown role');
    textClaim(payload, 'jti');
    const actor: UserActor = { kind: 'user', userId: textClaim(payload, 'sub'), role, sessionId: textClaim(payload, 'sid') };
    return { value: { actor, issuedAt: (payload.iat ?? 0) * 1000 }, expiresAt: expiryOf(payload) };
  });
}

function serviceVerifier({ service, servicePublicKeys }: AuthenticatorOptions): (token: string) => Promise<ServiceName> {
  const { typ, algorithm, requiredClaims, lifetimeSeconds } = serviceTokenRules;
  const options = { audience: service, typ, algorithms: [algorithm], requiredClaims: [...requiredClaims], maxTokenAge: lifetimeSeconds, clockTolerance: 5 };
  const keys = new Map<string, Promise<CryptoKey>>();
  const keyOf = async (kid: string): Promise<CryptoKey> => {
    const jwk = servicePublicKeys.keys.find((candidate) => candidate.kid === kid);
    if (jwk === undefined) throw new Error('unknown key');
    const key = keys.get(kid) ?? (importJWK(jwk, algorithm) as Promise<CryptoKey>);
    keys.set(kid, key);
    return key;
  };
  return verifier(async (token) => {
    const { payload, protectedHeader } = await jwtVerify(token, (header: JWTHeaderParameters) => keyOf(kidOf(header)), options);
    const value = serviceNames.find((name) => name === payload.iss);
    // Without this, the holder of any service's key could pose as any other service.
    if (value === undefined || value !== protectedHeader.kid) throw new Error('the token is signed by somebody else than its issuer');
    return { value, expiresAt: expiryOf(payload) };
  });
}

function bearerToken(authorization: string): string {
  const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization) ?? [];
  if (token === undefined) throw invalidToken(new Error('not a bearer token'));
  return token;
}

/** The check of both kinds of credentials for one service. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { revocations = noRevocations } = options;
  const verifyAccessToken = userVerifier(options.accessKeys);
  const verifyService = serviceVerifier(options);
  const verifyUser = async (token: string): Promise<UserActor> => {
    const { actor, issuedAt } = await verifyAccessToken(token);
    if (revocations.isRevoked({ sessionId: actor.sessionId, userId: actor.userId, issuedAt })) throw invalidToken(new Error('revoked'));
    return actor;
  };
  return async ({ authorization, serviceToken }) => ({
    ...(authorization !== undefined && { user: await verifyUser(bearerToken(authorization)) }),
    ...(serviceToken !== undefined && { service: await verifyService(serviceToken) }),
  });
}
