import type { Revocation, SubjectRevocation } from '#contract/auth/v1/auth';

/** The properties of an access token that a revocation refers to. */
export interface TokenOrigin {
  sessionId: string;
  userId: string;
  /** Milliseconds since 1970. */
  issuedAt: number;
}

export interface Revocations {
  isRevoked(token: TokenOrigin): boolean;
  /** True while revocations may be missing here. */
  isStale(): boolean;
}

/** For services without auth. */
export const noRevocations: Revocations = { isRevoked: () => false, isStale: () => false };

/** Keeps each revocation until all its tokens have expired. */
export interface RevocationSet {
  add(revocations: readonly Revocation[]): void;
  has(token: TokenOrigin): boolean;
  pruneExpired(now: Date): void;
  size(): number;
}

interface SubjectEntry {
  notBefore: number;
  expiresAt: number;
}

/** A revocation without a time applies to all tokens and never expires. */
const timeOf = (date: Date | undefined): number => date?.getTime() ?? Infinity;

export function createRevocationSet(): RevocationSet {
  /** Session id → expiry. */
  const sessions = new Map<string, number>();
  const subjects = new Map<string, SubjectEntry>();

  const addSubject = ({ accountId, notBeforeTime }: SubjectRevocation, expiresAt: number): void => {
    const known = subjects.get(accountId) ?? { notBefore: 0, expiresAt: 0 };
    subjects.set(accountId, {
      notBefore: Math.max(timeOf(notBeforeTime), known.notBefore),
      expiresAt: Math.max(expiresAt, known.expiresAt),
    });
  };
  const addOne = ({ target, expireTime }: Revocation): void => {
    if (target?.$case === 'sessionId') sessions.set(target.value, timeOf(expireTime));
    else if (target !== undefined) addSubject(target.value, timeOf(expireTime));
  };
  return {
    add: (revocations) => revocations.forEach(addOne),
    has: ({ sessionId, userId, issuedAt }) =>
      sessions.has(sessionId) || issuedAt < (subjects.get(userId)?.notBefore ?? 0),
    pruneExpired: (now) => {
      for (const [id, expiresAt] of sessions) if (expiresAt <= now.getTime()) sessions.delete(id);
      for (const [id, { expiresAt }] of subjects) if (expiresAt <= now.getTime()) subjects.delete(id);
    },
    size: () => sessions.size + subjects.size,
  };
}
