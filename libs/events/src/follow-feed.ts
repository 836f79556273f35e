import type { FeedSource } from './feed.ts';
import { isBefore, type Position, type StoredEvent } from './pull.ts';
import type { Subscription } from './subscription.ts';

/** An event, or without one only how far the reader has got. */
export interface FeedItem {
  event: StoredEvent | undefined;
  /** Going on from here repeats and misses nothing. */
  position: Position;
}

interface Following {
  source: FeedSource;
  userId: string;
  subscription: Subscription;
  signal: AbortSignal;
  heartbeatMs: number;
  onPruned: () => Error;
}

const pageSize = 50;

/** Yields, and returns the position that was reached: from the log as far as the hub has come, then what the hub offers. */
export async function* followFeed(following: Following, after: Position | undefined): AsyncGenerator<FeedItem, void> {
  const { subscription, signal } = following;
  const begun = await waitForHub(following);
  if (begun === undefined) return;
  let position = after ?? begun;
  if (!isBefore(position, begun)) yield { event: undefined, position };
  while (!signal.aborted) {
    subscription.restart();
    position = yield* catchUp(following, position);
    position = yield* takeOffers(following, position);
  }
}

async function waitForHub({ subscription, signal, heartbeatMs }: Following): Promise<Position | undefined> {
  while (!signal.aborted) {
    subscription.take();
    const position = subscription.hubPosition();
    if (position !== undefined) return position;
    await subscription.wait(heartbeatMs, signal);
  }
  return undefined;
}

async function* catchUp({ source, userId, subscription, signal, onPruned }: Following, from: Position): AsyncGenerator<FeedItem, Position> {
  const target = subscription.hubPosition() ?? from;
  let position = from;
  while (isBefore(position, target) && !signal.aborted) {
    const page = await source.readUser(userId, position, pageSize);
    if (page.pruned) throw onPruned();
    for (const event of page.events) {
      if (signal.aborted) return position;
      position = event.position;
      yield { event, position };
    }
    // Another replica's position may be ahead of what this one may read.
    if (isBefore(position, page.next)) position = page.next;
    if (!page.more) yield { event: undefined, position };
  }
  return position;
}

/** Until the signal fires or something was missed. */
async function* takeOffers({ subscription, signal, heartbeatMs }: Following, from: Position): AsyncGenerator<FeedItem, Position> {
  let position = from;
  let heartbeatTime = Date.now() + heartbeatMs;
  while (!signal.aborted) {
    const event = subscription.take();
    if (event !== undefined && !isBefore(position, event.position)) continue;
    if (event !== undefined) {
      position = event.position;
      heartbeatTime = Date.now() + heartbeatMs;
      yield { event, position };
      continue;
    }
    if (subscription.missed()) return position;
    const hub = subscription.hubPosition() ?? position;
    if (isBefore(position, hub)) position = hub;
    if (Date.now() >= heartbeatTime) {
      heartbeatTime = Date.now() + heartbeatMs;
      yield { event: undefined, position };
    }
    await subscription.wait(heartbeatTime - Date.now(), signal);
  }
  return position;
}
