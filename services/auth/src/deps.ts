import type { UnitOfWork } from '#libs/db';
import type { Clock, Logger } from '#libs/runtime';
import type { AccountRepository } from './domain/account.repository.ts';
import type { Account, AccountRole } from './domain/account.entity.ts';
import type { Revocation } from './domain/revocation.entity.ts';
import type { RevocationRepository } from './domain/revocation.repository.ts';
import type { SessionRepository } from './domain/session.repository.ts';
import type { SigningKeyRepository } from './domain/signing-key.repository.ts';
import type { NewSigningKey, PublicJwk } from './domain/signing-key.entity.ts';

/** Everything that one transaction can touch. */
export interface Repositories {
  accounts: AccountRepository;
  sessions: SessionRepository;
  signingKeys: SigningKeyRepository;
  revocations: RevocationRepository;
  /** Requests that were recorded under their request ids. */
  requests: { prune(limit: number): Promise<number> };
  profiles: ProfileOutbox;
}

/** Calls to users that are made after the transaction, until they succeed. */
export interface ProfileOutbox {
  upsert(account: Account): void;
}

export interface ProfileDelivery {
  /** Resolves when sending a committed profile was tried once, or shortly anyway. Never rejects. */
  waitForFirstAttempt(accountId: string): Promise<void>;
}

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** False for `undefined` after the same work as for a hash. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made with another cost than today's. */
  isOutdated(passwordHash: string): boolean;
}

export interface PasswordGuard {
  /**
   * Runs `check` as one attempt of the caller's address at the password of an account. After too many wrong ones it throws
   * TOO_MANY_ATTEMPTS without running it. `account` may be any text that names one, whether or not it exists.
   */
  guard<T>(account: string, check: () => Promise<T>): Promise<T>;
}

export interface RefreshTokens {
  create(): string;
  /** The token that replaces this one. */
  successorOf(token: string): string;
  /** What is stored of it. */
  hashOf(token: string): string;
}

export interface AccessTokenIssuer {
  /** `issueTime` is when the role was known to be true, not when the token is signed. */
  issue(claims: { accountId: string; role: AccountRole; sessionId: string; issueTime: Date }): Promise<{ token: string; expireTime: Date }>;
}

export interface PublishedKey {
  kid: string;
  publicJwk: PublicJwk;
}

export interface SigningKeys {
  /** Every key that a good token may be signed with; there is always one. */
  listPublished(): Promise<PublishedKey[]>;
  /** Makes a key that is not stored yet. */
  generate(): NewSigningKey;
  /** Looks at once for what was stored. Never rejects: it is noticed in a moment anyway. */
  refresh(): Promise<void>;
}

/** What a follower of revocations is told next. */
export interface RevocationNews {
  revocations: readonly SpreadRevocation[];
  /** The last message of what was there at the start. */
  snapshotComplete: boolean;
}

export type SpreadRevocation = Pick<Revocation, 'sessionId' | 'accountId' | 'notBefore' | 'expireTime'>;

export interface RevocationWatch {
  /** Everything that matters, then what comes, and something at least every second. Throws when it cannot be known any more. */
  watch(signal: AbortSignal): AsyncIterable<RevocationNews>;
}

export interface AuthSettings {
  /** How long a session lives after its last use. */
  sessionLifetimeMs: number;
  /** How long a replaced refresh token still gives the same successor. */
  refreshGraceMs: number;
  /** How long a copy of the key set may be used before it is fetched again. */
  jwksMaxAgeMs: number;
  /** How much longer than that a new key is published before it signs. */
  keyMarginMs: number;
}

export interface AuthDeps {
  uow: UnitOfWork<Repositories>;
  clock: Clock;
  newId: () => string;
  logger: Logger;
  passwords: PasswordHasher;
  passwordGuard: PasswordGuard;
  refreshTokens: RefreshTokens;
  accessTokens: AccessTokenIssuer;
  signingKeys: SigningKeys;
  profileDelivery: ProfileDelivery;
  revocationWatch: RevocationWatch;
  settings: AuthSettings;
}
