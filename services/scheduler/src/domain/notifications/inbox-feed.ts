import type { FeedItem, Position } from '#libs/events';

/** The changes of inboxes. */
export interface InboxFeed {
  /** Changes of the user's inbox, behind a position or from now on, and heartbeats; see EventBroadcaster. */
  subscribe(userId: string, after: Position | undefined, signal: AbortSignal): AsyncIterable<FeedItem>;
}
