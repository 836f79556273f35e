import { createTokenBucket } from './token-bucket.ts';

/** The limits of one connection. */
export interface ConnectionLimits {
  /** New streams; in a burst, twice as many. */
  streamsPerSecond: number;
  /** Streams that the client resets before their answer begins; in a burst, as many. */
  resetsPerSecond: number;
}

/** The limit that a connection exceeded. */
export type Violation = 'streams' | 'resets';

/** Counts the streams and resets of one connection. Returns the limit that the client exceeds, if any. */
export interface ConnectionLimiter {
  /** The client began a stream. */
  begin(): Violation | undefined;
  /** The client reset a stream before its answer. `unseen`: before this process had seen the stream. */
  reset(unseen: boolean): Violation | undefined;
}

/**
 * Clients often cancel calls (a deadline passes, another server answers first, a user leaves), but some milliseconds
 * after the start. A reset in the same moment is an attack (rapid reset) and counts as four.
 */
const unseenCounts = 4;

/** `wasHeldUp`: whether this process has just paused. Streams that were begun and reset meanwhile violate nothing. */
export function createConnectionLimiter(
  { streamsPerSecond, resetsPerSecond }: ConnectionLimits,
  wasHeldUp: () => boolean,
  now?: () => number,
): ConnectionLimiter {
  const streams = createTokenBucket({ perSecond: streamsPerSecond, burst: 2 * streamsPerSecond }, now);
  const resets = createTokenBucket({ perSecond: resetsPerSecond, burst: resetsPerSecond }, now);
  return {
    begin: () => (streams.take() ? undefined : 'streams'),
    reset: (unseen) => (resets.take(unseen && !wasHeldUp() ? unseenCounts : 1) ? undefined : 'resets'),
  };
}

/** For trusted proxies, whose connections carry the calls of many clients. */
export const unlimited: ConnectionLimiter = { begin: () => undefined, reset: () => undefined };
