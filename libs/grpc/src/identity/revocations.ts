import type { Revocation, SubjectRevocation } from '#contract/auth/v1/auth';

/** What a revocation can concern of an access token. */
export interface TokenOrigin {
  sessionId: string;
  userId: string;
  /** Milliseconds since 1970. */
  issuedAt: number;
}

export interface Revocations {
  isRevoked(token: TokenOrigin): boolean;
  /** True while there may be revocations that are not known here. */
  isStale(): boolean;
}

/** For whoever has no auth to follow. */
export const noRevocations: Revocations = { isRevoked: () => false, isStale: () => false };

/** Revocations that are known, each until no token that it concerns can be valid any more. */
export interface RevocationSet {
  add(revocations: readonly Revocation[]): void;
  has(token: TokenOrigin): boolean;
  forgetExpired(now: Date): void;
  size(): number;
}

interface SubjectEntry {
  notBefore: number;
  expiresAt: number;
}

/** Without a time a revocation concerns every token there is, and is never forgotten. */
const timeOf = (date: Date | undefined): number => date?.getTime() ?? Infinity;

export function createRevocationSet(): RevocationSet {
  /** Session id → when it may be forgotten. */
  const sessions = new Map<string, number>();
  const subjects = new Map<string, SubjectEntry>();

  const addSubject = ({ accountId, notBefore }: SubjectRevocation, expiresAt: number): void => {
    const known = subjects.get(accountId) ?? { notBefore: 0, expiresAt: 0 };
    subjects.set(accountId, { notBefore: Math.max(timeOf(notBefore), known.notBefore), expiresAt: Math.max(expiresAt, known.expiresAt) });
  };
  const addOne = ({ target, expireTime }: Revocation): void => {
    if (target?.$case === 'sessionId') sessions.set(target.value, timeOf(expireTime));
    else if (target !== undefined) addSubject(target.value, timeOf(expireTime));
  };
  return {
    add: (revocations) => revocations.forEach(addOne),
    has: ({ sessionId, userId, issuedAt }) => sessions.has(sessionId) || issuedAt < (subjects.get(userId)?.notBefore ?? 0),
    forgetExpired: (now) => {
      for (const [id, expiresAt] of sessions) if (expiresAt <= now.getTime()) sessions.delete(id);
      for (const [id, { expiresAt }] of subjects) if (expiresAt <= now.getTime()) subjects.delete(id);
    },
    size: () => sessions.size + subjects.size,
  };
}
