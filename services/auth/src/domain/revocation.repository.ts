import type { Revocation } from './revocation.entity.ts';

export interface RevocationRepository {
  /** Part of the fact that it follows from: the same transaction, or none. */
  add(...revocations: Revocation[]): void;
  /** Removes up to `limit` that do not matter any more; says how many. */
  removeExpired(before: Date, limit: number): Promise<number>;
}
