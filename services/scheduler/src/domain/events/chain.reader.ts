import type { Position } from '#libs/events';
import type { DeliveryValues, NotificationValues } from '../notifications/notification.columns.ts';
import type { DeliveryDelay, SweepFacts } from './overdue-explanation.ts';

/** A notification of an event. */
export interface RecordedNotification extends Pick<
  NotificationValues,
  'id' | 'recipientId' | 'state' | 'jobId' | 'createTime' | 'deliverTime'
> {
  delay: DeliveryDelay;
  deliveries: DeliveryValues[];
}

/** Reads how far events have come, and the notifications that followed from them. */
export interface ChainReader {
  /** In the order of their ids, behind one. */
  deadLetterEvents(
    afterEventId: bigint,
    limit: number,
  ): Promise<{ eventId: bigint; event: Uint8Array; error: string; deadLetterTime: Date }[]>;
  /** Whether an event has been read past; `idleMs`: how long ago the cursor moved, undefined when it never did. */
  progress(position: Position): Promise<{ pulled: boolean; idleMs: number | undefined; deadLettered: boolean }>;
  notificationsOf(eventId: bigint): Promise<RecordedNotification[]>;
  sweep(scheduleId: string): Promise<SweepFacts>;
}
