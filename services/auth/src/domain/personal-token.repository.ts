import type { PersonalToken } from './personal-token.entity.ts';

export interface PersonalTokenRepository {
  add(token: PersonalToken): void;
  /** How many of the account's have not ended. */
  countValid(accountId: string, now: Date): Promise<number>;
  /** The token, locked for a change. */
  lock(id: string): Promise<PersonalToken | undefined>;
  /** Notes that these were used, except those that are being changed. */
  recordUses(ids: readonly string[], now: Date): Promise<void>;
  /** Removes up to `limit` tokens that expired before the given time; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
