import type { Removal, RemovalReport } from './account-deletion.repository.ts';

export interface RemovalReader {
  find(accountId: string): Promise<Removal | undefined>;
  report(now: Date): Promise<RemovalReport>;
}

/** Each removes a batch of what belongs to an account elsewhere, and says whether anything is left. */
export interface Removers {
  /** The tasks pass to the successor; '' = they are removed. */
  tasks(userId: string, successorId: string): Promise<boolean>;
  notifications(userId: string): Promise<boolean>;
  profile(userId: string): Promise<void>;
}
