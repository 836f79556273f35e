import type { UnitOfWork } from '#libs/db';
import { AppError, errorTable } from '#libs/errors';
import { runInBackground, startLoop, type Logger, type Loop, type Metrics } from '#libs/runtime';
import { recordBatch } from './batch-spans.ts';
import type { CursorRepository } from './cursor.ts';
import { nameOfError } from './error-name.ts';
import type { Position } from './pull.ts';

/** What the puller must know of an event; both are always set in practice. */
export interface PulledEvent {
  position?: Position | undefined;
  createTime?: Date | undefined;
  /** Of the call that made it. `handle` gets the one that what follows from the event continues. */
  traceParent?: string | undefined;
}

export interface PullerOptions<R, E extends PulledEvent> {
  /** The cursor's name. All replicas use the same. */
  name: string;
  logger: Logger;
  metrics?: Metrics;
  /**
   * Called outside of any transaction. May wait for events at the source; it has 15 s and heeds the signal. Throws an
   * AppError of kind out_of_range when the source no longer has all events behind the position: that is logged as an
   * error and counted, and the puller goes on with the oldest that there are.
   */
  pull(after: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }>;
  uow: UnitOfWork<R & { cursor: CursorRepository }>;
  /**
   * Turns events into rows, in the transaction that moves the cursor past them. Throwing a retryable AppError repeats
   * the batch later. Any other error means that one of the events cannot be handled: the batch is halved until that
   * event is alone, and when it has failed three times it is parked.
   */
  handle(events: E[], repositories: R): Promise<void>;
  /** How a parked event is stored. */
  encode(event: E): Uint8Array;
  /** After each transaction; its failure is only logged. */
  afterCommit?(): Promise<void>;
  /** The pause when there was nothing to pull, or when another replica was faster. Default 500. */
  intervalMs?: number;
}

export interface Puller {
  start(): void;
  stop(): Promise<void>;
  /** Age of the oldest event of the latest batch; 0 when there was none. */
  lagSeconds(): number;
}

const pullTimeoutMs = 15_000;
const handleTimeoutMs = 15_000;
const attemptsBeforeParking = 3;

/**
 * Takes every event of a source exactly once into this service's database, however many replicas run it: a batch counts
 * only if the cursor still stands where the batch began.
 */
export function createPuller<R, E extends PulledEvent>(options: PullerOptions<R, E>): Puller {
  const run = new PullerRun(options);
  let loop: Loop | undefined;
  return {
    start: () => {
      const { name, logger, intervalMs = 500 } = options;
      loop ??= startLoop({ name: `puller ${name}`, logger, intervalMs, run: (signal) => run.once(signal) });
    },
    stop: async () => {
      await loop?.stop();
    },
    lagSeconds: () => run.lagSeconds,
  };
}

/** Another replica has taken the batch. */
class CursorMoved extends Error {}

class PullerRun<R, E extends PulledEvent> {
  lagSeconds = 0;
  readonly #options: PullerOptions<R, E>;
  readonly #measure: (outcome: 'handled' | 'parked' | 'gap', count: number) => void;
  readonly #setLag: (seconds: number) => void;
  /** Where the cursor stood when we last moved or read it; undefined when it has to be read. */
  #known: { position: Position | undefined } | undefined;
  /** The batch behind the one that is being handled, on its way already. */
  #ahead: { from: string; batch: Promise<{ events: E[] }> } | undefined;
  /** The event that failed alone, and how often. */
  #suspect = { position: '', failures: 0 };
  /** The position behind which events are gone, once that was told. */
  #toldGap = '';

  constructor(options: PullerOptions<R, E>) {
    const { metrics, name: cursor } = options;
    this.#options = options;
    const events = metrics?.counter('event_puller_events_total', 'Events taken from the source, by outcome; gap: once for each time that some were missed.', ['cursor', 'outcome']);
    // An alert on an increase does not see a series that begins with 1.
    for (const outcome of ['handled', 'parked', 'gap']) events?.inc({ cursor, outcome }, 0);
    const lag = metrics?.gauge('event_puller_lag_seconds', 'Age of the oldest event of the latest batch.', ['cursor']);
    this.#measure = (outcome, count) => events?.inc({ cursor, outcome }, count);
    const pulled = metrics?.gauge('event_puller_last_pull_timestamp_seconds', 'When the source last answered: an older answer tells nothing about the lag.', ['cursor']);
    this.#setLag = (seconds) => {
      pulled?.set({ cursor }, Date.now() / 1000);
      this.lagSeconds = seconds;
      lag?.set({ cursor }, seconds);
    };
  }

  async once(signal: AbortSignal): Promise<{ again: boolean }> {
    const { position } = (this.#known ??= { position: await this.#readCursor(signal) });
    const { events } = await this.#take(position, signal);
    this.#setLag(ageSeconds(events[0]));
    if (events.length === 0) return { again: false };
    // Unknown until the batch is in: whatever goes wrong, the next run reads the cursor.
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

  /** The batch that is on its way, when it begins where it should. */
  #take(position: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead !== undefined && position !== undefined && ahead.from === keyOf(position) ? ahead.batch : this.#pull(position, signal);
  }

  /** The source works on the next batch while this service's database works on the present one. */
  #pullAhead(position: Position, signal: AbortSignal): void {
    const batch = this.#pull(position, signal);
    // Whoever takes it hears of its failure.
    batch.catch(() => undefined);
    this.#ahead = { from: keyOf(position), batch };
  }

  async #pull(position: Position | undefined, signal: AbortSignal): Promise<{ events: E[] }> {
    const pull = (after: Position | undefined) => this.#inBackground(pullTimeoutMs, signal, (callSignal) => this.#options.pull(after, callSignal));
    try {
      return await pull(position);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== 'out_of_range' || position === undefined) throw error;
      this.#tellGap(position, error);
      return pull(undefined);
    }
  }

  #tellGap(behind: Position, error: AppError): void {
    const position = keyOf(behind);
    if (this.#toldGap === position) return;
    this.#toldGap = position;
    this.#measure('gap', 1);
    this.#options.logger.error({ err: error, cursor: this.#options.name, position }, 'events were missed: the source had forgotten them');
  }

  /** Returns the position after the events. */
  async #ingest(from: Position | undefined, events: E[], signal: AbortSignal): Promise<Position> {
    try {
      const to = await this.#commit(from, events, signal, (repositories, recorded) => this.#options.handle(recorded, repositories));
      this.#measure('handled', events.length);
      return to;
    } catch (error) {
      const [first, ...others] = events;
      // What takes too long at once may pass in parts.
      const isTooMuch = isTimeout(error) && others.length > 0 && !signal.aborted;
      if (first === undefined || (isTransient(error) && !isTooMuch)) throw error;
      if (others.length === 0) return this.#suspectOrPark(from, first, error, signal);
      const half = Math.ceil(events.length / 2);
      const middle = await this.#ingest(from, events.slice(0, half), signal);
      return this.#ingest(middle, events.slice(half), signal);
    }
  }

  async #commit(from: Position | undefined, events: E[], signal: AbortSignal, work: (repositories: R & { cursor: CursorRepository }, recorded: E[]) => Promise<void>): Promise<Position> {
    const { name, uow, logger, afterCommit } = this.#options;
    const to = positionOf(events.at(-1));
    await this.#inBackground(handleTimeoutMs, signal, () =>
      recordBatch(`ingest ${name}`, events, (recorded) =>
        uow.run(async (repositories) => {
          // First, so that replicas which race wait here, before they do the work in vain.
          if (!(await repositories.cursor.advance(name, from, to))) throw new CursorMoved();
          await work(repositories, recorded);
        }),
      ),
    );
    await afterCommit?.().catch((error: unknown) => logger.warn({ err: error, cursor: name }, 'work after an event batch failed'));
    return to;
  }

  /** A defect that is being deployed away, or a missing column, must not park the whole log at once. */
  async #suspectOrPark(from: Position | undefined, event: E, error: unknown, signal: AbortSignal): Promise<Position> {
    const { name, logger, encode } = this.#options;
    const position = positionOf(event);
    const key = keyOf(position);
    this.#suspect = { position: key, failures: this.#suspect.position === key ? this.#suspect.failures + 1 : 1 };
    if (this.#suspect.failures < attemptsBeforeParking) throw error;
    const to = await this.#commit(from, [event], signal, ({ cursor }) => cursor.park(name, { position, event: encode(event), error: nameOfError(error) }));
    this.#measure('parked', 1);
    logger.error({ err: error, cursor: name, position: key }, 'event parked: it could not be handled');
    return to;
  }

  #readCursor(signal: AbortSignal): Promise<Position | undefined> {
    const { uow, name } = this.#options;
    return this.#inBackground(handleTimeoutMs, signal, () => uow.run(({ cursor }) => cursor.find(name)));
  }

  #inBackground<T>(timeoutMs: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { name, logger } = this.#options;
    return runInBackground({ name: `puller ${name}`, logger, timeoutMs, signal }, (call) => work(call.signal));
  }
}

function keyOf({ transactionId, eventId }: Position): string {
  return `${transactionId}/${eventId}`;
}

function isTransient(error: unknown): boolean {
  if (error instanceof CursorMoved) return true;
  return error instanceof AppError && (errorTable[error.kind].retryable || error.kind === 'cancelled');
}

function isTimeout(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'deadline_exceeded';
}

function positionOf(event: PulledEvent | undefined): Position {
  if (event?.position === undefined) throw new Error('an event without a position');
  return event.position;
}

function ageSeconds(event: PulledEvent | undefined): number {
  return event?.createTime === undefined ? 0 : Math.max(0, (Date.now() - event.createTime.getTime()) / 1000);
}
