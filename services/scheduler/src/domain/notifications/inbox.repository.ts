/** Which notifications are to be marked: some, or all that were delivered before a moment (undefined = all). */
export type Marking = { ids: readonly string[] } | { until: Date | undefined };

export interface InboxRepository {
  /** Marks up to `limit` unread notifications in a user's inbox as read; returns how many. */
  markRead(recipientId: string, marking: Marking, limit: number): Promise<number>;
}
