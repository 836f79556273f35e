import { runInBackground, startLoop, type Logger } from '#libs/runtime';
import type { FeedScope, FeedSource } from './feed.ts';
import { isBefore, type Position } from './position.ts';
import { createReaders, type Audience, type Readers } from './readers.ts';
import { streamFeed, type FeedItem } from './stream-feed.ts';

export type { FeedItem } from './stream-feed.ts';

/** Reads the log once for all subscribers in this process, while there are any. */
export interface EventBroadcaster {
  /**
   * Yields the events that concern a user after `after` (undefined = from now on), with scope `all` also those of the
   * parts that are shared with the user when they are read. Each comes once and in the order of the log, and the reader's position: at once, then whenever nothing else came for `heartbeatMs`. Ends when the signal
   * fires. Events that the reader does not take are not kept but read again from the log, so memory is bounded. Throws
   * when the log cannot be read, when events after the position are gone, or when another incarnation of the log has
   * begun.
   */
  subscribe(
    userId: string,
    after: Position | undefined,
    signal: AbortSignal,
    scope?: FeedScope,
  ): AsyncGenerator<FeedItem, void>;
  stop(): Promise<void>;
}

export interface EventBroadcasterOptions extends Audience {
  source: FeedSource;
  logger: Logger;
  /** Resolves at the next announcement, after `maxMs`, or when the signal fires. */
  wait: (maxMs: number, signal: AbortSignal) => Promise<unknown>;
  /** Makes the error for a position whose following events are gone. */
  onPruned: () => Error;
  /** Makes the error for a position that the log does not have: the log was restored, moved or failed over. */
  onUnknown: () => Error;
  heartbeatMs: number;
}

const pageSize = 200;
/** Nobody announces the end of an older transaction, which holds events back. */
const lookAgainMs = 250;
const readTimeoutMs = 5000;

/** Reads the log page by page, from where it ended when the first subscriber came. */
function createLogCursor(options: EventBroadcasterOptions) {
  const { source } = options;
  let position: Position | undefined;
  const readers = createReaders(source, options, () => position);

  /** Finds the end of the log at first, then offers one page at a time. `again` when more may be there. */
  async function readOnce(): Promise<{ again: boolean }> {
    const known = position;
    if (known === undefined) {
      position = await source.end();
      readers.everybody().forEach((subscription) => subscription.notice());
      return { again: true };
    }
    const page = await source.read(known, pageSize);
    if (page.unknown) {
      position = undefined;
      readers.everybody().forEach((subscription) => subscription.fail(options.onUnknown()));
      return { again: true };
    }
    // Who sees an event is asked when it is read, so that nobody sees it who has left since it was written. Offering and
    // moving on are one step: whoever comes in between begins before the page or behind it.
    let concerned: ReturnType<Readers['hand']>;
    do concerned = readers.hand(page.events, await readers.findMembers(page.events));
    while (concerned === undefined);
    position = isBefore(known, page.next) ? page.next : known;
    concerned.forEach((subscription) => subscription.notice());
    return { again: page.more };
  }

  return { readers, readOnce, forgetPosition: (): void => void (position = undefined) };
}

export function createEventBroadcaster(options: EventBroadcasterOptions): EventBroadcaster {
  const { logger } = options;
  const { readers, readOnce, forgetPosition } = createLogCursor(options);

  async function run(stopping: AbortSignal): Promise<{ again: boolean } | void> {
    if (readers.everybody().length === 0) {
      forgetPosition();
      return;
    }
    const stopWaiting = new AbortController();
    // The wait starts before the read, so that an event in between is not missed.
    const wait = options.wait(lookAgainMs, AbortSignal.any([stopping, stopWaiting.signal]));
    try {
      const { again } = await runInBackground(
        { name: 'event-broadcaster', logger, timeoutMs: readTimeoutMs, signal: stopping },
        readOnce,
      );
      if (!again) await wait;
      return { again: true };
    } catch (error) {
      // Each subscriber receives the error and goes on later from the position that it holds.
      readers.everybody().forEach((subscription) => subscription.fail(error));
      throw error;
    } finally {
      stopWaiting.abort();
    }
  }

  const loop = startLoop({ name: 'event-broadcaster', logger, intervalMs: 1000, maxBackoffMs: 2000, run });

  return {
    subscribe: async function* (userId, after, signal, scope = 'own') {
      const subscription = readers.join(userId, scope);
      loop.wake();
      try {
        yield* streamFeed({ ...options, userId, scope, subscription, signal }, after);
      } finally {
        readers.leave(userId, subscription);
      }
    },
    stop: loop.stop,
  };
}
