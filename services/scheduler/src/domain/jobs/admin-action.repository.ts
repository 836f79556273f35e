import type { Prune } from '../events/retention.ts';

/** An administrator's action. */
export interface AdminAction {
  /** The method of the contract. */
  action: string;
  /** Its object: the id of a schedule, a job, an event, or the name of a queue. */
  subject: string;
}

export interface AdminActionRepository {
  /** Records the action in the transaction that does it, and logs it after the commit. */
  record(actorId: string, action: AdminAction): Promise<void>;
  prune: Prune;
}
