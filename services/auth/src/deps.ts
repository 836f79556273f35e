import type { AuditLog, AuditTrail } from '#libs/audit';
import type { Once, PageTokens, UnitOfWork } from '#libs/db';
import type { Clock, Logger, UserActor } from '#libs/runtime';
import type { AuthConfig } from './config.ts';
import type { AccountDeletionRepository } from './domain/account-deletion.repository.ts';
import type { AccountRepository } from './domain/account.repository.ts';
import type { AccountTokenValues } from './domain/account-token.columns.ts';
import type { AccountTokenRepository } from './domain/account-token.repository.ts';
import type { AccountRole, AccountValues } from './domain/account.columns.ts';
import type { Account } from './domain/account.entity.ts';
import type { InvitationValues } from './domain/invitation.columns.ts';
import type { Admission, InvitationRepository } from './domain/invitation.repository.ts';
import type { MailValues } from './domain/mail.columns.ts';
import type { MailRepository } from './domain/mail.repository.ts';
import type { JoinAttempts, ProjectInviteeReader } from './domain/project-invitee.ports.ts';
import type { ProjectInviteeRepository } from './domain/project-invitee.repository.ts';
import type { PersonalTokenValues } from './domain/personal-token.columns.ts';
import type { PersonalTokenRepository } from './domain/personal-token.repository.ts';
import type { Revocation } from './domain/revocation.entity.ts';
import type { RemovalReader } from './domain/removal.ports.ts';
import type { RevocationRepository } from './domain/revocation.repository.ts';
import type { SessionValues } from './domain/session.columns.ts';
import type { SessionRepository } from './domain/session.repository.ts';
import type { SigningKeyRepository } from './domain/signing-key.repository.ts';
import type { NewSigningKey, PublicJwk } from './domain/signing-key.entity.ts';

/** Everything that one transaction can touch. */
export interface Repositories {
  audit: AuditTrail;
  accounts: AccountRepository;
  accountTokens: AccountTokenRepository;
  invitations: InvitationRepository;
  projectInvitees: ProjectInviteeRepository;
  mails: MailRepository;
  deletions: AccountDeletionRepository;
  sessions: SessionRepository;
  personalTokens: PersonalTokenRepository;
  signingKeys: SigningKeyRepository;
  revocations: RevocationRepository;
  /** Requests that were recorded under their idempotency keys. */
  requests: { prune(limit: number): Promise<number> };
  profiles: ProfileOutbox;
}

/** Reads without a transaction. A decision based on them is checked again in the transaction that makes the change. */
export interface AuthReader extends PersonalTokenReader, ProjectInviteeReader {
  findAccount(id: string): Promise<Account | undefined>;
  /** The account of the e-mail's mailbox; of two from before mailboxes were compared, the one that is spelled so. */
  findAccountByEmail(email: string): Promise<Account | undefined>;
  /** The sessions of the account that can be refreshed, the last used first. */
  listAliveSessions(accountId: string, page: SessionPage): Promise<SessionValues[]>;
  /** Whether an invitation of this token, to the installation or to a project, admits this e-mail now. */
  isInvited(admission: Admission, now: Date): Promise<boolean>;
  /** The token of an account that has this hash, also when it has expired. */
  findAccountToken(tokenHash: string): Promise<AccountTokenValues | undefined>;
  findMail(id: string): Promise<MailValues | undefined>;
  /** The row that a mail is about. */
  findAccountTokenById(id: string): Promise<AccountTokenValues | undefined>;
  findInvitation(id: string): Promise<InvitationValues | undefined>;
  /** Invitations after one, newest first. */
  listInvitations(
    after: Pick<InvitationValues, 'createTime' | 'id'> | undefined,
    limit: number,
  ): Promise<InvitationValues[]>;
  /** The recorded answer of an earlier call with the same idempotency key. */
  recall<T>(once: Once<T>): Promise<T | undefined>;
}

export interface PersonalTokenReader {
  /** The tokens of an account after one, newest first. */
  listPersonalTokens(
    accountId: string,
    after: Pick<PersonalTokenValues, 'createTime' | 'id'> | undefined,
    limit: number,
  ): Promise<PersonalTokenValues[]>;
  /** The token of this hash, unless it has ended or its account is disabled. */
  findTokenGrant(tokenHash: string, now: Date): Promise<TokenGrant | undefined>;
}

export type TokenGrant = Pick<PersonalTokenValues, 'id' | 'accountId' | 'scopes' | 'expireTime' | 'lastUseTime'> &
  Pick<AccountValues, 'role' | 'tokensNotBefore'>;

export interface SessionPage {
  now: Date;
  /** The last session of the page before. */
  after: Pick<SessionValues, 'lastUsedTime' | 'id'> | undefined;
  limit: number;
}

/** Fingerprints of a request's content, one per encryption key, the newest first. */
export type RequestFingerprints = (content: Uint8Array) => readonly Uint8Array[];

/** Calls to users that are made after the transaction, until they succeed. */
export interface ProfileOutbox {
  upsert(account: Account): void;
}

export interface ProfileDelivery {
  /** Resolves when sending a committed profile was tried once, or shortly anyway. Never rejects. */
  waitForFirstAttempt(accountId: string): Promise<void>;
}

export interface PasswordCheck {
  matches: boolean;
  /** The hash has another cost or form than today's and should be renewed while the password is known. */
  isOutdated: boolean;
}

/** Takes passwords as they were sent, in whatever Unicode form. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** For `undefined` it never matches, after the same work as for a hash. */
  verify(passwordHash: string | undefined, password: string): Promise<PasswordCheck>;
}

export interface PasswordGuard {
  /**
   * Runs `check` as one attempt of the caller's address at the password of an account. After too many wrong ones it
   * throws TOO_MANY_ATTEMPTS without running it. `account` may be any text that names one, whether or not it exists.
   */
  guard<T>(account: string, check: () => Promise<T>): Promise<T>;
  /** The caller's address need not wait any more: its owner has shown in another way that the account is theirs. */
  forget(account: string): Promise<void>;
}

export interface RefreshTokens {
  create(): string;
  /**
   * The token that replaces this one as the `attempt`th, counted from 1: those before it were discarded. First by the
   * newest key, then those that the older keys may have given.
   */
  successorsOf(token: string, attempt: number): [string, ...string[]];
  /** What is stored of it. */
  hashOf(token: string): string;
}

export type OneTimeTokenKind =
  'invitation' | 'mailedInvitation' | 'projectInvitation' | 'passwordReset' | 'emailVerification';

export interface OneTimeTokens {
  /** The token of the row with this id. */
  create(kind: OneTimeTokenKind, id: string): string;
  /** The row's token that has this hash; undefined when the key that made it is gone. */
  recover(kind: OneTimeTokenKind, id: string, hash: string): string | undefined;
  /** What is stored of it. */
  hashOf(token: string): string;
  /** Whether the token says of itself that it is of this kind or of one with the same prefix. */
  isOf(kind: OneTimeTokenKind, token: string): boolean;
}

export interface PersonalTokens {
  /** A new token, what is stored of it, and what it can be made from again. */
  create(): { token: string; tokenHash: string; seed: string };
  /** The token of this seed that has this hash; undefined when the key that made it is gone. */
  recover(seed: string, tokenHash: string): string | undefined;
}

export interface TokenUses {
  /** Has it recorded, soon, that a token was used, unless that is recorded for the last hour. */
  note(token: Pick<PersonalTokenValues, 'id' | 'lastUseTime'>): void;
}

export interface AccessTokenIssuer {
  /** `issueTime` is when the role was known to be true, not when the token is signed. */
  issue(claims: {
    accountId: string;
    role: AccountRole;
    sessionId: string;
    issueTime: Date;
  }): Promise<{ token: string; expireTime: Date }>;
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
  /** Reads the stored keys now. Never rejects: the next regular read comes within seconds. */
  refresh(): Promise<void>;
}

/** The next message for a follower of revocations. */
export interface RevocationNews {
  revocations: readonly SpreadRevocation[];
  /** True with the last message of the snapshot. */
  snapshotComplete: boolean;
}

export type SpreadRevocation = Pick<Revocation, 'sessionId' | 'accountId' | 'notBefore' | 'expireTime'>;

export interface RevocationWatch {
  /**
   * First a snapshot, then changes, at least one message a second. Throws when the database is out of reach for too
   * long.
   */
  watch(signal: AbortSignal): AsyncIterable<RevocationNews>;
}

export type AuthSettings = Pick<
  AuthConfig,
  | 'sessionLifetimeMs'
  | 'refreshGraceMs'
  | 'jwksMaxAgeMs'
  | 'keyMarginMs'
  | 'registration'
  | 'invitationLifetimeMs'
  | 'recovery'
  | 'deletionGraceMs'
> & { administrator: { email: string } | undefined };

export interface PeopleFinder {
  /** The id of the user whom the caller finds by this e-mail, as UsersService.FindUser does. */
  findByEmail(caller: UserActor, email: string): Promise<string | undefined>;
}

export interface AuthDeps {
  uow: UnitOfWork<Repositories>;
  reader: AuthReader;
  removals: RemovalReader;
  people: PeopleFinder;
  /** For what no transaction records: refusals. */
  audit: Pick<AuditLog, 'record'>;
  clock: Clock;
  newId: () => string;
  logger: Logger;
  pageTokens: PageTokens;
  requestFingerprints: RequestFingerprints;
  passwords: PasswordHasher;
  passwordGuard: PasswordGuard;
  refreshTokens: RefreshTokens;
  oneTimeTokens: OneTimeTokens;
  personalTokens: PersonalTokens;
  tokenUses: TokenUses;
  accessTokens: AccessTokenIssuer;
  signingKeys: SigningKeys;
  profileDelivery: ProfileDelivery;
  joinAttempts: JoinAttempts;
  revocationWatch: RevocationWatch;
  settings: AuthSettings;
}
