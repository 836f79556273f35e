import type { Account } from './account.entity.ts';
import type { RefreshToken } from './refresh-token.entity.ts';
import type { Session } from './session.entity.ts';

export interface SessionRepository {
  add(session: Session, token: RefreshToken): void;
  addToken(token: RefreshToken): void;
  /**
   * The session that a token of any generation belongs to, locked: rotation, reuse and logout of one session happen one
   * after the other. The token is read after the lock was taken, so it is as the previous holder left it. Its account
   * cannot be changed until the transaction ends; accounts are always locked before sessions.
   */
  lockByToken(tokenHash: string): Promise<{ account: Account; session: Session; token: RefreshToken } | undefined>;
  /** The account's session, locked; undefined when it is somebody else's. */
  lockOwned(id: string, accountId: string): Promise<Session | undefined>;
  /** All sessions of the account that can be refreshed, locked. */
  lockAlive(accountId: string, now: Date): Promise<Session[]>;
  /** A token of a session that is locked. */
  findToken(sessionId: string, generation: number): Promise<RefreshToken | undefined>;
  /** Removes up to `limit` sessions with their tokens that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
