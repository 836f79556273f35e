import type { Prune } from '../events/retention.ts';

/** The actions of administrators that a release before the audit log recorded. They go with their time. */
export interface AdminActionRepository {
  prune: Prune;
}
