import type { RemovalStep } from './account-deletion.entity.ts';

/** A removal, as JSON. */
export type AccountRemoval = { accountId: string };

export interface Removal {
  accountId: string;
  successorId: string | null;
  step: RemovalStep;
}

/** Which deleted accounts are to be removed. */
export interface RemovalTimes {
  /** Their purge time is not after this. */
  purgedBy: Date;
  /** They were deleted by then, so that calls of their tokens have ended. */
  deletedBy: Date;
}

/** Removals of accounts. What carries them on is called after the transaction. */
export interface AccountDeletionRepository {
  /** Whether the removal has begun: nothing undoes it then. Asked under the lock of the account. */
  hasBegun(accountId: string): Promise<boolean>;
  /** Begins up to `limit` removals whose successors, if any, can take the tasks; returns the accounts. */
  begin(times: RemovalTimes, limit: number): Promise<string[]>;
  /** Has the removal go on later. */
  goOn(accountId: string): void;
  /** From one step to the next; false when somebody else has done that. */
  advance(accountId: string, from: RemovalStep, to: RemovalStep): Promise<boolean>;
  /** Removes the account and whatever holds its e-mail. */
  removeAccount(accountId: string): Promise<void>;
  /** Begins all removals again, also those that are finished; says how many. */
  repeatAll(): Promise<number>;
}

/** How removals stand. */
export interface RemovalReport {
  /** The age of the oldest one that has not finished, or should have begun; 0 without any. */
  lagMs: number;
  /** How many wait for a successor who is missing or disabled, and the longest waiting of them. */
  waitingCount: number;
  waiting: { accountId: string; successorId: string }[];
}
