import type { UnitOfWork } from '#libs/db';
import { AppError, errorTable } from '#libs/errors';
import { runInBackground, startLoop, type Clock, type Logger, type Loop, type Metrics } from '#libs/runtime';
import { recordBatch } from './batch-spans.ts';
import { createConsumerMetrics, type ConsumerMetrics } from './consumer-metrics.ts';
import type { CursorRepository } from './cursor.ts';
import { nameOfError } from './error-name.ts';
import { positionKey as keyOf, type Position } from './position.ts';

/** What the consumer needs of an event; position and time are always set in practice. */
export interface ConsumedEvent {
  position?: Position | undefined;
  createTime?: Date | undefined;
  /** Of the call that made it. `handle` receives the one that its own work must continue. */
  traceParent?: string | undefined;
}

export interface EventConsumerOptions<R, E extends ConsumedEvent> {
  /** The cursor's name. All replicas use the same. */
  name: string;
  logger: Logger;
  metrics?: Metrics;
  /**
   * Called outside of any transaction. It may wait for events at the source, has 15 s and heeds the signal. It throws
   * an AppError of kind out_of_range when the source no longer has all events after the position, or (LOG_RESTORED)
   * does not know the position. The consumer logs and counts that and continues with the oldest events there are. So
   * what `handle` made of an event must be kept for as long as the source keeps the event.
   */
  pull(after: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }>;
  uow: UnitOfWork<R & { cursor: CursorRepository }>;
  /**
   * Turns events into rows, in the transaction that moves the cursor past them. A retryable AppError repeats the batch
   * later. Any other error means that one of the events cannot be handled: the batch is halved until that event is
   * alone, and at its third failure it becomes a dead letter.
   */
  handle(events: E[], repositories: R): Promise<void>;
  /** Encodes an event for the dead letters. */
  encode(event: E): Uint8Array;
  /** Runs after each transaction; a failure is only logged. */
  afterCommit?(): Promise<void>;
  /** The clock that the age of events is computed with. */
  clock?: Clock;
  /** The pause after an empty pull, or when another replica was faster. Default 500. */
  intervalMs?: number;
}

export interface EventConsumer {
  start(): void;
  stop(): Promise<void>;
  /** Age of the oldest event of the latest batch; 0 when there was none. */
  lagSeconds(): number;
}

const pullTimeoutMs = 15_000;
const handleTimeoutMs = 15_000;
const attemptsBeforeDeadLetter = 3;

/**
 * Takes every event of a source exactly once into this service's database, however many replicas run it: a batch counts
 * only if the cursor still stands where the batch began.
 */
export function createEventConsumer<R, E extends ConsumedEvent>(options: EventConsumerOptions<R, E>): EventConsumer {
  const run = new ConsumerRun(options);
  let loop: Loop | undefined;
  return {
    start: () => {
      const { name, logger, intervalMs = 500 } = options;
      loop ??= startLoop({ name: `event consumer ${name}`, logger, intervalMs, run: (signal) => run.once(signal) });
    },
    stop: async () => {
      await loop?.stop();
    },
    lagSeconds: () => run.lagSeconds,
  };
}

/** Another replica has taken the batch. */
class CursorMoved extends Error {}

class ConsumerRun<R, E extends ConsumedEvent> {
  lagSeconds = 0;
  readonly #options: EventConsumerOptions<R, E>;
  readonly #metrics: ConsumerMetrics;
  /** Where the cursor stood when this process last moved or read it; undefined when it must be read. */
  #known: { position: Position | undefined } | undefined;
  /** The next batch, which is already being pulled while the current one is handled. */
  #ahead: { from: string; batch: Promise<{ events: E[] }> } | undefined;
  /** The event that failed alone, and how often. */
  #suspect = { position: '', failures: 0 };
  /** The position of the latest gap that was reported. */
  #reportedGap = '';

  constructor(options: EventConsumerOptions<R, E>) {
    this.#options = options;
    this.#metrics = createConsumerMetrics(options);
  }

  async once(signal: AbortSignal): Promise<{ again: boolean }> {
    const { position } = (this.#known ??= { position: await this.#readCursor(signal) });
    const { events } = await this.#take(position, signal);
    this.lagSeconds = this.#metrics.pulled(events[0]?.createTime);
    if (events.length === 0) return { again: false };
    // Unknown until the batch is stored: after any failure the next run reads the cursor.
    this.#known = undefined;
    this.#pullAhead(positionOf(events.at(-1)), signal);
    try {
      this.#known = { position: await this.#ingest(position, events, signal) };
      return { again: true };
    } catch (error) {
      if (error instanceof CursorMoved) return { again: false };
      throw error;
    }
  }

  /** The batch that was pulled ahead, if it begins at this position; else a new pull. */
  #take(position: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && position !== undefined && ahead.from === keyOf(position)
      ? ahead.batch
      : this.#pull(position, signal);
  }

  /** The source prepares the next batch while this service's database stores the current one. */
  #pullAhead(position: Position, signal: AbortSignal): void {
    const batch = this.#pull(position, signal);
    // The caller that takes the batch receives its failure.
    batch.catch(() => undefined);
    this.#ahead = { from: keyOf(position), batch };
  }

  async #pull(position: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }> {
    const pull = (after: Position | undefined) =>
      this.#inBackground(pullTimeoutMs, signal, (callSignal) => this.#options.pull(after, callSignal));
    try {
      return await pull(position);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== 'out_of_range' || position === undefined) throw error;
      this.#reportGap(position, error);
      return pull(undefined);
    }
  }

  #reportGap(behind: Position, error: AppError): void {
    const position = keyOf(behind);
    if (this.#reportedGap === position) return;
    this.#reportedGap = position;
    const restored = error.reason === 'LOG_RESTORED';
    this.#metrics.count(restored ? 'restored' : 'gap', 1);
    const message = restored
      ? 'the source was restored to another state: its log is read again'
      : 'events were missed: the source had forgotten them';
    this.#options.logger.error({ err: error, cursor: this.#options.name, position }, message);
  }

  /** Returns the position after the events. */
  async #ingest(from: Position | undefined, events: E[], signal: AbortSignal): Promise<Position> {
    try {
      const to = await this.#commit(from, events, signal, (repositories, recorded) =>
        this.#options.handle(recorded, repositories),
      );
      this.#metrics.count('handled', events.length);
      return to;
    } catch (error) {
      const [first, ...others] = events;
      // A batch that takes too long as a whole may pass in parts.
      const isTooMuch = isTimeout(error) && others.length > 0 && !signal.aborted;
      if (first === undefined || (isTransient(error) && !isTooMuch)) throw error;
      if (others.length === 0) return this.#suspectOrGiveUp(from, first, error, signal);
      const half = Math.ceil(events.length / 2);
      const middle = await this.#ingest(from, events.slice(0, half), signal);
      return this.#ingest(middle, events.slice(half), signal);
    }
  }

  async #commit(
    from: Position | undefined,
    events: E[],
    signal: AbortSignal,
    work: (repositories: R & { cursor: CursorRepository }, recorded: E[]) => Promise<void>,
  ): Promise<Position> {
    const { name, uow, logger, afterCommit } = this.#options;
    const to = positionOf(events.at(-1));
    await this.#inBackground(handleTimeoutMs, signal, () =>
      recordBatch(`ingest ${name}`, events, (recorded) =>
        uow.run(async (repositories) => {
          // First, so that racing replicas wait here instead of doing the work in vain.
          if (!(await repositories.cursor.advance(name, from, to))) throw new CursorMoved();
          await work(repositories, recorded);
        }),
      ),
    );
    await afterCommit?.().catch((error: unknown) =>
      logger.warn({ err: error, cursor: name }, 'work after an event batch failed'),
    );
    return to;
  }

  /**
   * Gives a failing event up at its third failure only: a defect that the next deployment fixes, or a missing column,
   * must not move the whole log to the dead letters.
   */
  async #suspectOrGiveUp(from: Position | undefined, event: E, error: unknown, signal: AbortSignal): Promise<Position> {
    const { name, logger, encode } = this.#options;
    const position = positionOf(event);
    const key = keyOf(position);
    this.#suspect = { position: key, failures: this.#suspect.position === key ? this.#suspect.failures + 1 : 1 };
    if (this.#suspect.failures < attemptsBeforeDeadLetter) throw error;
    const to = await this.#commit(from, [event], signal, ({ cursor }) =>
      cursor.addDeadLetter(name, { position, event: encode(event), error: nameOfError(error) }),
    );
    this.#metrics.count('dead_letter', 1);
    logger.error(
      { err: error, cursor: name, position: key },
      'event moved to the dead letters: it could not be handled',
    );
    return to;
  }

  #readCursor(signal: AbortSignal): Promise<Position | undefined> {
    const { uow, name } = this.#options;
    return this.#inBackground(handleTimeoutMs, signal, () => uow.run(({ cursor }) => cursor.find(name)));
  }

  #inBackground<T>(timeoutMs: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { name, logger } = this.#options;
    return runInBackground({ name: `event consumer ${name}`, logger, timeoutMs, signal }, (call) => work(call.signal));
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof CursorMoved) return true;
  return error instanceof AppError && (errorTable[error.kind].retryable || error.kind === 'cancelled');
}

function isTimeout(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'deadline_exceeded';
}

function positionOf(event: ConsumedEvent | undefined): Position {
  if (event?.position === undefined) throw new Error('an event without a position');
  return event.position;
}
