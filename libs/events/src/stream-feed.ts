import type { FeedPage, FeedScope, FeedSource } from './feed.ts';
import type { Joining } from './joining.ts';
import { isBefore, type Position } from './position.ts';
import type { StoredEvent } from './pull.ts';
import type { Subscription } from './subscription.ts';

/** An event, or without one only the reader's position. */
export interface FeedItem {
  event: StoredEvent | undefined;
  /** The shared parts that the reader read when the event was read, at least those that the event concerns. */
  parts: ReadonlyMap<string, Joining>;
  /** Continuing from here repeats and misses nothing. */
  position: Position;
}

interface Subscriber {
  source: FeedSource;
  userId: string;
  scope: FeedScope;
  subscription: Subscription;
  signal: AbortSignal;
  heartbeatMs: number;
  onPruned: () => Error;
  onUnknown: () => Error;
}

const pageSize = 50;
const none: ReadonlyMap<string, Joining> = new Map();

/** Where the reader is, without an event. */
const placeOnly = (position: Position): FeedItem => ({ event: undefined, parts: none, position });

/**
 * Reads the log up to the broadcaster's position, then takes what the broadcaster offers. Starts over when an offer was
 * dropped.
 */
export async function* streamFeed(subscriber: Subscriber, after: Position | undefined): AsyncGenerator<FeedItem, void> {
  const { subscription, signal } = subscriber;
  const begun = await waitForStart(subscriber);
  if (begun === undefined) return;
  let position = after ?? begun;
  // Only the log knows whether a position from outside is one of its own.
  if (after !== undefined) await readUser(subscriber, after, 1);
  if (!isBefore(position, begun)) yield placeOnly(position);
  while (!signal.aborted) {
    subscription.restart();
    position = yield* catchUp(subscriber, position);
    position = yield* takeOffers(subscriber, position);
  }
}

async function waitForStart({ subscription, signal, heartbeatMs }: Subscriber): Promise<Position | undefined> {
  while (!signal.aborted) {
    subscription.take();
    const position = subscription.broadcastPosition();
    if (position !== undefined) return position;
    await subscription.wait(heartbeatMs, signal);
  }
  return undefined;
}

async function readUser(
  { source, userId, scope, onPruned, onUnknown }: Subscriber,
  position: Position,
  limit: number,
): Promise<FeedPage> {
  const page = await source.readUser(userId, position, limit, scope);
  if (page.pruned) throw onPruned();
  if (page.unknown) throw onUnknown();
  return page;
}

async function* catchUp(subscriber: Subscriber, from: Position): AsyncGenerator<FeedItem, Position> {
  const { subscription, signal } = subscriber;
  const target = subscription.broadcastPosition() ?? from;
  let position = from;
  while (isBefore(position, target) && !signal.aborted) {
    const page = await readUser(subscriber, position, pageSize);
    for (const event of page.events) {
      if (signal.aborted) return position;
      position = event.position;
      yield { event, parts: page.parts ?? none, position };
    }
    // A position from another replica may be ahead of what this one may read.
    if (isBefore(position, page.next)) position = page.next;
    if (!page.more) yield placeOnly(position);
  }
  return position;
}

/** Ends when the signal fires or an offer was dropped. */
async function* takeOffers(
  { subscription, signal, heartbeatMs }: Subscriber,
  from: Position,
): AsyncGenerator<FeedItem, Position> {
  let position = from;
  let heartbeatTime = performance.now() + heartbeatMs;
  while (!signal.aborted) {
    const offer = subscription.take();
    if (offer !== undefined && !isBefore(position, offer.event.position)) continue;
    if (offer !== undefined) {
      position = offer.event.position;
      heartbeatTime = performance.now() + heartbeatMs;
      yield { ...offer, position };
      continue;
    }
    if (subscription.missed()) return position;
    const reached = subscription.broadcastPosition() ?? position;
    if (isBefore(position, reached)) position = reached;
    if (performance.now() >= heartbeatTime) {
      heartbeatTime = performance.now() + heartbeatMs;
      yield placeOnly(position);
    }
    await subscription.wait(heartbeatTime - performance.now(), signal);
  }
  return position;
}
