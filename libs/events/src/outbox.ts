import { afterCommit, runStatement, uuidv7, type Database, type EntityManager } from '#libs/db';
import {
  backoffMs,
  crashPoint,
  currentContext,
  inSpan,
  runInBackground,
  startLoop,
  type Logger,
  type Loop,
  type Metrics,
} from '#libs/runtime';
import { nameOfError } from './error-name.ts';
import { OutboxEntry } from './outbox-table.ts';

/**
 * Calls to others that must happen because of a transaction. They are recorded in it, made after it, and repeated until
 * they succeed: at least once, in no particular order. K maps each kind of call to its payload, which is stored as
 * JSON. A call always continues the one that recorded it (same id, same trace), whenever and in whichever process it is
 * made.
 */
export interface Outbox<K extends Record<string, object>> {
  /** Records a call in the entity manager's transaction. The call is made right after the commit. */
  add<N extends keyof K & string>(em: EntityManager, kind: N, payload: K[N]): void;
  start(): void;
  /** Makes due calls now instead of at the next interval. */
  tryNow(): void;
  /** Interrupts running calls that do not end quickly; they are made again later. */
  stop(): Promise<void>;
}

export interface OutboxOptions<K extends Record<string, object>> {
  database: Pick<Database, 'unitOfWork'>;
  /**
   * They run outside of any transaction, have `timeoutMs`, and must be idempotent. Entries of a kind without a handler
   * stay.
   */
  handlers: { [N in keyof K]: (payload: K[N]) => Promise<void> };
  logger: Logger;
  metrics?: Metrics;
  /** The time of one call. Default 10 s. */
  timeoutMs?: number;
  /** The pause between two looks at the table. Default 2 s. */
  intervalMs?: number;
}

interface Claimed {
  id: string;
  kind: string;
  payload: object;
  attempts: number;
  callId: string;
  traceParent: string;
}

const batchSize = 10;
const backoff = { firstMs: 1000, maxMs: 5 * 60_000 };
/** From this attempt on a person should look. */
const attemptsToWorry = 10;
const statementsTimeoutMs = 10_000;

export function createOutbox<K extends Record<string, object>>(options: OutboxOptions<K>): Outbox<K> {
  const worker = new OutboxWorker(options);
  const { logger, intervalMs = 2000 } = options;
  let loop: Loop | undefined;
  const tryNow = (): void => loop?.wake();
  return {
    add: (em, kind, payload) => {
      const { requestId: callId = '', traceParent = '' } = currentContext() ?? {};
      em.persist(em.create(OutboxEntry, { id: uuidv7(), kind, payload, callId, traceParent }));
      afterCommit(em, tryNow);
    },
    start: () => {
      loop ??= startLoop({ name: 'outbox', logger, intervalMs, run: (signal) => worker.deliverDue(signal) });
    },
    tryNow,
    stop: async () => {
      await loop?.stop();
    },
  };
}

class OutboxWorker<K extends Record<string, object>> {
  readonly #options: OutboxOptions<K>;
  readonly #timeoutMs: number;
  readonly #count: (kind: string, outcome: 'done' | 'failed') => void;

  constructor(options: OutboxOptions<K>) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    const attempts = options.metrics?.counter('outbox_attempts_total', 'Calls of the outbox by kind and outcome.', [
      'kind',
      'outcome',
    ]);
    this.#count = (kind, outcome) => attempts?.inc({ kind, outcome });
  }

  async deliverDue(signal: AbortSignal): Promise<{ again: boolean }> {
    // The lease outlasts the call, so that no other replica makes it at the same time. When this process dies, the
    // entry is due again after the lease.
    const leaseMs = this.#timeoutMs + 2 * statementsTimeoutMs;
    const claimed = await this.#run<Claimed>(claimText, [batchSize, Object.keys(this.#options.handlers), leaseMs]);
    await Promise.all(claimed.map((entry) => this.#deliver(entry, signal)));
    return { again: claimed.length === batchSize };
  }

  async #deliver(entry: Claimed, signal: AbortSignal): Promise<void> {
    try {
      await this.#call(entry, signal);
      crashPoint(`outbox.after-call.${entry.kind}`);
    } catch (error) {
      await this.#postpone(entry, error, signal.aborted);
      return;
    }
    this.#count(entry.kind, 'done');
    await this.#run(removeText, [entry.id]);
  }

  /** Runs the handler in the trace and with the id of the call that recorded the entry. */
  #call({ kind, payload, callId, traceParent }: Claimed, signal: AbortSignal): Promise<void> {
    const { handlers, logger } = this.#options;
    const handler = handlers[kind] as (payload: object) => Promise<void>;
    const name = `outbox ${kind}`;
    const origin = { ...(callId !== '' && { requestId: callId }), ...(traceParent !== '' && { traceParent }) };
    return runInBackground({ name, logger, timeoutMs: this.#timeoutMs, signal, ...origin }, () =>
      inSpan({ name, kind: 'consumer', parent: traceParent }, () => handler(payload)),
    );
  }

  async #postpone({ id, kind, attempts, callId }: Claimed, error: unknown, stopping: boolean): Promise<void> {
    this.#count(kind, 'failed');
    const level = attempts >= attemptsToWorry ? 'error' : 'warn';
    if (!stopping)
      this.#options.logger[level](
        { err: error, kind, id, attempts, ...(callId !== '' && { requestId: callId }) },
        'outbox call failed',
      );
    await this.#run(postponeText, [id, attempts, stopping ? 0 : backoffMs(backoff, attempts), nameOfError(error)]);
  }

  #run<Row>(text: string, parameters: unknown[]): Promise<Row[]> {
    const { database, logger } = this.#options;
    const uow = database.unitOfWork((em) => em);
    return runInBackground({ name: 'outbox', logger, timeoutMs: statementsTimeoutMs }, () =>
      uow.run((em) => runStatement<Row>(em, text, parameters)),
    );
  }
}

const claimText = `
  update outbox set attempts = attempts + 1, next_attempt_time = clock_timestamp() + $3 * interval '1 millisecond'
  where id = any (array(
    select id from outbox where next_attempt_time <= clock_timestamp() and kind = any ($2::text[])
    order by next_attempt_time limit $1 for update skip locked))
  returning id, kind, payload, attempts, call_id as "callId", trace_parent as "traceParent"`;
const removeText = 'delete from outbox where id = $1';
/** Only while this process holds the claim, which the number of attempts shows. */
const postponeText = `
  update outbox set next_attempt_time = clock_timestamp() + $3 * interval '1 millisecond', last_error = $4
  where id = $1 and attempts = $2`;
