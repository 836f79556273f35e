import type { Notification, NotificationKind } from '#contract/scheduler/v1/notifications';

/** Where a page ended: the sort key of its last notification. */
export type InboxPosition = { deliverTime: string; id: string };

/** A notification is listed when it fulfils all that are given. */
export interface InboxFilter {
  unreadOnly: boolean;
  /** Sorted, without repetition; empty = all. */
  kinds: NotificationKind[];
}

/** One page and where it ended, undefined at the end. */
export interface InboxPage {
  notifications: Notification[];
  next: InboxPosition | undefined;
}

/** Reads inboxes. */
export interface InboxReader {
  /** Newest first. */
  page(recipientId: string, filter: InboxFilter, after: InboxPosition | undefined, limit: number): Promise<InboxPage>;
  /** The members of a digest, oldest first. */
  digest(recipientId: string, digestId: string, after: InboxPosition | undefined, limit: number): Promise<InboxPage>;
  /** Counts no further than `max`. */
  unread(recipientId: string, max: number): Promise<number>;
}
