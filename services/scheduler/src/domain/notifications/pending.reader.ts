import type { NotificationValues } from './notification.columns.ts';

/** The part of a pending notification that its delivery needs. */
export type PendingNotification = Pick<
  NotificationValues,
  'id' | 'kind' | 'recipientId' | 'taskId' | 'dueVersion' | 'status' | 'commentId'
>;

/** Reads pending notifications. */
export interface PendingReader {
  /** The pending ones of the ids, and earlier pending changes of the same task for the same recipient. */
  pending(ids: string[]): Promise<PendingNotification[]>;
  /** How many notifications are pending and how many dead letters are open, for the metrics. */
  counts(): Promise<{ pending: number; deadLetters: number }>;
}
