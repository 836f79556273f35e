import { createTokenBucket } from './token-bucket.ts';

/** What one connection may do in a second. */
export interface ConductLimits {
  /** Streams begun, twice as many at a time. */
  streamsPerSecond: number;
  /** Streams that the client resets before their answer has begun, as many at a time. */
  resetsPerSecond: number;
}

/** What a connection did too much of. */
export type Offence = 'streams' | 'resets';

/** How a client behaves on one connection. Each answer is what it has done too much of, if anything. */
export interface Conduct {
  /** It began a stream. */
  begin(): Offence | undefined;
  /** It reset one before the answer: `unseen`, before this process had even looked at it. */
  reset(unseen: boolean): Offence | undefined;
}

/**
 * Clients give up calls all the time: because of a deadline, a faster answer elsewhere, a user who left. That happens some
 * milliseconds after the call has begun at the least. Whoever begins and resets in one breath wants the server to work.
 */
const unseenCounts = 4;

/** `wasHeldUp`: this process did not run for a while. What it then finds, begun and given up, is nobody's fault. */
export function createConduct({ streamsPerSecond, resetsPerSecond }: ConductLimits, wasHeldUp: () => boolean, now?: () => number): Conduct {
  const streams = createTokenBucket({ perSecond: streamsPerSecond, burst: 2 * streamsPerSecond }, now);
  const resets = createTokenBucket({ perSecond: resetsPerSecond, burst: resetsPerSecond }, now);
  return {
    begin: () => (streams.take() ? undefined : 'streams'),
    reset: (unseen) => (resets.take(unseen && !wasHeldUp() ? unseenCounts : 1) ? undefined : 'resets'),
  };
}

/** That of a proxy, which hands on what others do. */
export const anyConduct: Conduct = { begin: () => undefined, reset: () => undefined };
