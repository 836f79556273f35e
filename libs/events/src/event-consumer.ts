import { AppError, errorTable } from '#libs/errors';
import { runInBackground, startLoop, type Loop } from '#libs/runtime';
import { createBatchSource, type BatchSource, type PulledBatch } from './batch-source.ts';
import { recordBatch } from './batch-spans.ts';
import { createConsumerMetrics, type ConsumerMetrics } from './consumer-metrics.ts';
import type { ConsumedEvent, EventConsumerOptions } from './consumer-options.ts';
import type { CursorRepository } from './cursor.ts';
import { nameOfError } from './error-name.ts';
import { positionKey as keyOf, type Position } from './position.ts';

export interface EventConsumer {
  start(): void;
  stop(): Promise<void>;
  /** Age of the oldest event of the latest batch; 0 when there was none. */
  lagSeconds(): number;
}

const handleTimeoutMs = 15_000;
const attemptsBeforeDeadLetter = 3;
/**
 * The rest between an answer with events and the next pull, so that one transaction takes what comes in quick
 * succession. An event after a longer silence is pulled at once.
 */
const gatherMs = 100;
const defaults = { intervalMs: 500, storePassedMs: 60_000 };

type Settings<R, E extends ConsumedEvent> = EventConsumerOptions<R, E> & typeof defaults;

/**
 * Takes every event of a source exactly once into this service's database, however many replicas run it: a batch counts
 * only if the cursor still stands where the batch began.
 */
export function createEventConsumer<R, E extends ConsumedEvent>(options: EventConsumerOptions<R, E>): EventConsumer {
  const settings = { ...defaults, ...options };
  const { name, logger, intervalMs } = settings;
  const run = new ConsumerRun(settings);
  let loop: Loop | undefined;
  return {
    start: () => {
      loop ??= startLoop({ name: `event consumer ${name}`, logger, intervalMs, run: (signal) => run.once(signal) });
    },
    stop: async () => loop?.stop(),
    lagSeconds: () => run.lagSeconds,
  };
}

/** Another replica has taken the batch. */
class CursorMoved extends Error {}

/** How far this process has come. */
interface Progress {
  /** Where the cursor stands in the database. */
  stored: Position | undefined;
  /** Not before it: what lies between was passed over by the source. */
  reached: Position | undefined;
  /** Since when the cursor has been behind, on the clock of performance.now(). */
  behindSince: number | undefined;
}

class ConsumerRun<R, E extends ConsumedEvent> {
  lagSeconds = 0;
  readonly #options: Settings<R, E>;
  readonly #metrics: ConsumerMetrics;
  readonly #source: BatchSource<E>;
  /** Undefined when the cursor must be read. */
  #progress: Progress | undefined;
  /** The event that failed alone, and how often. */
  #suspect = { position: '', failures: 0 };

  constructor(options: Settings<R, E>) {
    this.#options = options;
    this.#metrics = createConsumerMetrics(options);
    this.#source = createBatchSource({ ...options, onMissing: (position, error) => this.#reportGap(position, error) });
  }

  async once(signal: AbortSignal): Promise<{ again: boolean }> {
    const progress = (this.#progress ??= await this.#readProgress(signal));
    const batch = await this.#source.take(progress.reached, signal);
    this.lagSeconds = this.#metrics.pulled(batch.events[0]?.createTime);
    // Unknown until the batch is stored: after any failure the next run reads the cursor.
    this.#progress = undefined;
    try {
      const isEmpty = batch.events.length === 0;
      this.#progress = await (isEmpty ? this.#pass(progress, batch, signal) : this.#take(progress, batch, signal));
      // The source has waited before it gave an empty answer; else it would give the next one at once.
      return { again: !isEmpty || batch.more === true || batch.tookMs >= this.#options.intervalMs };
    } catch (error) {
      if (error instanceof CursorMoved) return { again: false };
      throw error;
    }
  }

  async #take(progress: Progress, { events, next, more }: PulledBatch<E>, signal: AbortSignal): Promise<Progress> {
    const reached = next ?? positionOf(events.at(-1));
    this.#source.prepare(reached, more === true ? 0 : gatherMs, signal);
    const stored = await this.#ingest(progress.stored, events, signal);
    return { stored, reached, behindSince: undefined };
  }

  /** Notes that the source has passed over events. Stores it now and then, and when the log is read again. */
  async #pass(progress: Progress, { next, restarted }: PulledBatch<E>, signal: AbortSignal): Promise<Progress> {
    const { stored, behindSince = performance.now() } = progress;
    const reached = next ?? progress.reached;
    if (reached === undefined || (stored !== undefined && keyOf(stored) === keyOf(reached)))
      return { stored, reached, behindSince: undefined };
    const { name, uow, storePassedMs } = this.#options;
    if (!restarted && performance.now() - behindSince < storePassedMs) return { stored, reached, behindSince };
    const advance = () => uow.run(({ cursor }) => cursor.advance(name, stored, reached));
    if (!(await this.#inBackground(signal, advance))) throw new CursorMoved();
    return { stored: reached, reached, behindSince: undefined };
  }

  #reportGap(behind: Position, error: AppError): void {
    const restored = error.reason === 'LOG_RESTORED';
    this.#metrics.count(restored ? 'restored' : 'gap', 1);
    const message = restored
      ? 'the source was restored to another state: its log is read again'
      : 'events were missed: the source had forgotten them';
    this.#options.logger.error({ err: error, cursor: this.#options.name, position: keyOf(behind) }, message);
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
    await this.#inBackground(signal, () =>
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

  async #readProgress(signal: AbortSignal): Promise<Progress> {
    const { uow, name } = this.#options;
    const stored = await this.#inBackground(signal, () => uow.run(({ cursor }) => cursor.find(name)));
    return { stored, reached: stored, behindSince: undefined };
  }

  #inBackground<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { name, logger } = this.#options;
    return runInBackground({ name: `event consumer ${name}`, logger, timeoutMs: handleTimeoutMs, signal }, work);
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
