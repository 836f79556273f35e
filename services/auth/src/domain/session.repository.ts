import type { RefreshToken } from './refresh-token.entity.ts';
import type { Session } from './session.entity.ts';

export interface SessionRepository {
  add(session: Session, token: RefreshToken): void;
  addToken(token: RefreshToken): void;
  /**
   * The session that a token of any generation belongs to, locked: rotation, reuse and logout of one session happen one
   * after the other. The token is read after the lock was taken, so it is as the previous holder left it.
   */
  lockByToken(tokenHash: string): Promise<{ session: Session; token: RefreshToken } | undefined>;
  hasToken(tokenHash: string): Promise<boolean>;
  /** Removes up to `limit` sessions with their tokens that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
