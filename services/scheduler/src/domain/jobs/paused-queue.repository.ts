export interface PausedQueueRepository {
  /** Since when it has been paused, undefined when it is not; others who ask wait until the transaction ends. */
  lock(queue: string): Promise<Date | undefined>;
  /** An earlier pause stays as it is; returns since when. */
  pause(queue: string, actorId: string): Promise<Date>;
  isPaused(queue: string): Promise<boolean>;
  /** Whether the queue was paused. */
  resume(queue: string): Promise<boolean>;
}
