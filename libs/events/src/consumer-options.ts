import type { UnitOfWork } from '#libs/db';
import type { Clock, Logger, Metrics } from '#libs/runtime';
import type { PulledEvents } from './batch-source.ts';
import type { CursorRepository } from './cursor.ts';
import type { Position } from './position.ts';

/** What the consumer needs of an event; position and time are always set in practice. */
export interface ConsumedEvent {
  position?: Position | undefined;
  createTime?: Date | undefined;
  /** Of the call that made it. `handle` receives the one that its own work must continue. */
  traceParent?: string | undefined;
}

export interface EventConsumerOptions<R, E extends ConsumedEvent> {
  /** The cursor's name. All replicas use the same. */
  name: string;
  logger: Logger;
  metrics?: Metrics;
  /**
   * Called outside of any transaction. It may wait for events at the source, has 15 s and heeds the signal. The source
   * may pass over events that have no consequences here (`next`). It throws an AppError of kind out_of_range when the source no longer has all events after the position, or (LOG_RESTORED)
   * does not know the position. The consumer logs and counts that and continues with the oldest events there are. So
   * what `handle` made of an event must be kept for as long as the source keeps the event.
   */
  pull(after: Position | undefined, signal: AbortSignal): Promise<PulledEvents<E>>;
  uow: UnitOfWork<R & { cursor: CursorRepository }>;
  /**
   * Turns events into rows, in the transaction that moves the cursor past them. A retryable AppError repeats the batch
   * later. Any other error means that one of the events cannot be handled: the batch is halved until that event is
   * alone, and at its third failure it becomes a dead letter.
   */
  handle(events: E[], repositories: R): Promise<void>;
  /** Encodes an event for the dead letters. */
  encode(event: E): Uint8Array;
  /** Runs after each transaction; a failure is only logged. */
  afterCommit?(): Promise<void>;
  /** The clock that the age of events is computed with. */
  clock?: Clock;
  /** The pause after an empty answer that came sooner, or when another replica was faster. Default 500. */
  intervalMs?: number;
  /**
   * How long the cursor may stay behind while the source only passes over events. What it costs: a restarted consumer
   * lets the source pass over them again. It must be well below the time for which the source keeps events. Default a
   * minute.
   */
  storePassedMs?: number;
}
