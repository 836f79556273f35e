import { AppError } from '#libs/errors';
import { runInBackground, sleep, type Logger } from '#libs/runtime';
import { positionKey, type Position } from './position.ts';

/** What a source answers. */
export interface PulledEvents<E> {
  events: E[];
  /** Where to go on: after the events, and after those that the source has passed over. Default: after the events. */
  next?: Position | undefined;
  /** There may be more already. */
  more?: boolean;
}

/** An answer, and what is known of the call that brought it. */
export interface PulledBatch<E> extends PulledEvents<E> {
  /** It begins with the oldest events, because the source does not have those after the position. */
  restarted: boolean;
  /** How long the source took. */
  tookMs: number;
}

export interface BatchSourceOptions<E> {
  /** The cursor's name. */
  name: string;
  logger: Logger;
  pull(after: Position | undefined, signal: AbortSignal): Promise<PulledEvents<E>>;
  /** Called once for each position whose following events the source does not have. */
  onMissing(position: Position, error: AppError): void;
}

/** Asks the source for one batch after the other. */
export interface BatchSource<E> {
  /** The batch after a position: the one that is being prepared if it begins there, else a new one. */
  take(position: Position | undefined, signal: AbortSignal): Promise<PulledBatch<E>>;
  /**
   * Begins to pull the next batch, after `restMs`, so that the source prepares it while the current one is stored. One
   * that nobody takes is broken off.
   */
  prepare(position: Position, restMs: number, signal: AbortSignal): void;
}

const pullTimeoutMs = 15_000;

export function createBatchSource<E>({ name, logger, pull, onMissing }: BatchSourceOptions<E>): BatchSource<E> {
  let ahead: { from: string; batch: Promise<PulledBatch<E>>; breakOff: AbortController } | undefined;
  let reported = '';

  async function timed(position: Position | undefined, signal: AbortSignal): Promise<PulledBatch<E>> {
    const started = performance.now();
    const options = { name: `event consumer ${name}`, logger, timeoutMs: pullTimeoutMs, signal };
    const answer = await runInBackground(options, (call) => pull(position, call.signal));
    return { ...answer, restarted: false, tookMs: performance.now() - started };
  }

  async function pullAfter(position: Position | undefined, signal: AbortSignal): Promise<PulledBatch<E>> {
    try {
      return await timed(position, signal);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== 'out_of_range' || position === undefined) throw error;
      const key = positionKey(position);
      if (reported !== key) onMissing(position, error);
      reported = key;
      return { ...(await timed(undefined, signal)), restarted: true };
    }
  }

  return {
    take: (position, signal) => {
      const prepared = ahead;
      ahead = undefined;
      if (prepared !== undefined && position !== undefined && prepared.from === positionKey(position))
        return prepared.batch;
      prepared?.breakOff.abort();
      return pullAfter(position, signal);
    },
    prepare: (position, restMs, signal) => {
      const breakOff = new AbortController();
      const stopped = AbortSignal.any([signal, breakOff.signal]);
      const batch = (restMs > 0 ? sleep(restMs, stopped) : Promise.resolve()).then(() => pullAfter(position, stopped));
      // The caller that takes the batch receives its failure.
      batch.catch(() => undefined);
      ahead = { from: positionKey(position), batch, breakOff };
    },
  };
}
