import type { Prune } from '../events/retention.ts';
import type { DeliveryPlan, LockedNotification, Subscription } from './delivery-plan.ts';

/** The state that decides about a recipient's digest. */
export interface DigestState {
  recipientId: string;
  overdueWaiting: number;
  openDigestId: string | undefined;
}

export interface DeliveryRepository {
  /** Those of the ids that are still pending, locked, in the order of their events. */
  lock(ids: readonly string[]): Promise<LockedNotification[]>;
  /** Of recipients with overdue notifications; where a digest is likely, other jobs of the recipient wait from here on. */
  digestStates(
    recipientIds: readonly string[],
    settings: { threshold: number; quietMs: number },
  ): Promise<DigestState[]>;
  /** The enabled webhooks, by owner. */
  subscriptions(ownerIds: readonly string[]): Promise<Map<string, Subscription[]>>;
  /** Writes what was decided about locked notifications, and their deliveries. */
  record(plan: DeliveryPlan, options: { attempts: number; digestQuietMs: number }): Promise<void>;
  /** Prunes how notifications went out; why a notification died is kept with the notification. */
  prune: Prune;
}
