import type { EntityManager } from '@mikro-orm/postgresql';
import {
  assertNoOpenTransaction,
  backoffMs,
  currentContext,
  remainingMs,
  runInsideTransaction,
  sleep,
} from '#libs/runtime';
import { runAfterCommit } from './after-commit.ts';
import { toDatabaseError, type ConstraintErrors } from './database-errors.ts';
import { isRecorded, recordWith } from './final-statement.ts';
import { claim, recordedResponse, storeResponse, type Once } from './idempotency.ts';
import { faultKind } from './sql-state.ts';
import { beginTransaction, type Transaction, type TransactionOptions } from './transaction.ts';

/** The only way to change data. R is what the work may use: repositories on one entity manager. */
export interface UnitOfWork<R> {
  /**
   * Runs `work` in one transaction and commits when it returns; when it throws, nothing of it remains. It may run up
   * to four times, because conflicts with concurrent transactions (also of a stale entity version) are repeated, so it
   * must have no effect outside the database. Network calls, queues and hashing inside throw, as does another run.
   * With `once`, a key that was used before gives the recorded result without running `work`.
   * Throws AppError for every fault of the database: unavailable (DATABASE_UNAVAILABLE), resource_exhausted
   * (OVERLOADED: no free connection), aborted (WRITE_CONFLICT), deadline_exceeded, cancelled, internal.
   */
  run<T>(work: (repositories: R) => Promise<T>, once?: Once<T>): Promise<T>;
  /**
   * Has the same result and errors as `run` but writes nothing: the transaction is rolled back at its end. So a key that
   * was used gives the recorded response, or its refusal, and a new one is not recorded.
   */
  dryRun<T>(work: (repositories: R) => Promise<T>, once?: Once<T>): Promise<T>;
}

/** A unit of work whose transactions can begin in the order of a lock. */
export interface OrderedUnitOfWork<R> extends UnitOfWork<R> {
  /**
   * As `run`. `takeTurn` locks rows before the key is claimed. A transaction gets its id when it first locks or writes,
   * so those that take turns at one row have their ids, and their events in the log, in the order of their turns. It
   * throws nothing about what it finds, since a repeat gets its recorded result behind it.
   */
  run<T>(
    work: (repositories: R) => Promise<T>,
    once?: Once<T>,
    takeTurn?: (repositories: R) => Promise<unknown>,
  ): Promise<T>;
}

export interface UnitOfWorkOptions<R> extends TransactionOptions {
  /** Throws after the database was closed, and while it does not answer. */
  assertUsable: () => void;
  /** Finds the real cause of a fault: see Silence. */
  explain: (error: unknown) => Promise<unknown>;
  repositories: (em: EntityManager) => R;
  constraints?: ConstraintErrors | undefined;
  onOutcome?: ((outcome: 'committed' | 'rolled_back' | 'repeated') => void) | undefined;
}

const maxRepeats = 3;
/** Transactions are short, and those that collided must not collide again. */
const backoff = { firstMs: 10, maxMs: 40 };

interface Attempt<R, T> {
  work: (repositories: R) => Promise<T>;
  once: Once<T> | undefined;
  takeTurn?: ((repositories: R) => Promise<unknown>) | undefined;
  end: 'commit' | 'rollback';
}

export function createUnitOfWork<R>(options: UnitOfWorkOptions<R>): OrderedUnitOfWork<R> {
  const { assertUsable, explain, repositories, constraints, onOutcome = () => undefined } = options;

  async function runOnce<T>({ work, once, takeTurn, end }: Attempt<R, T>): Promise<T> {
    const transaction = await beginTransaction(options);
    try {
      const result = await runInsideTransaction(async () => {
        await takeTurn?.(repositories(transaction.em));
        return workOnce(transaction.em, () => work(repositories(transaction.em)), once);
      });
      await transaction[end]();
      if (end === 'rollback') return result;
      onOutcome('committed');
      runAfterCommit(transaction.em);
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  async function repeatConflicts<T>(attempt: () => Promise<T>): Promise<T> {
    assertNoOpenTransaction('a unit of work');
    assertUsable();
    for (let repeat = 0; ; repeat += 1) {
      try {
        return await attempt();
      } catch (error) {
        const waitMs = backoffMs(backoff, repeat + 1);
        if (faultKind(error) !== 'conflict' || repeat === maxRepeats || remainingMs() <= waitMs) {
          onOutcome('rolled_back');
          throw toDatabaseError(await explain(error), constraints);
        }
        onOutcome('repeated');
        currentContext()?.span?.event('transaction repeated', { 'taskflow.retry.attempt': repeat + 1 });
        await sleep(waitMs);
      }
    }
  }

  return {
    run: async (work, once, takeTurn) => repeatConflicts(() => runOnce({ work, once, takeTurn, end: 'commit' })),
    dryRun: async (work, once) => repeatConflicts(() => runOnce({ work, once, end: 'rollback' })),
  };
}

/** Does the work and records its response, or returns the response recorded for the same request. */
async function workOnce<T>(em: Transaction['em'], work: () => Promise<T>, once: Once<T> | undefined): Promise<T> {
  if (once === undefined || once.idempotencyKey === '') {
    const result = await work();
    await em.flush();
    return result;
  }
  const earlier = await claim(em, once);
  if (earlier !== undefined) return once.decode(earlier);
  recordWith(em, (response: T) => recordedResponse(once, once.encode(response)));
  const result = await work();
  await em.flush();
  if (!isRecorded(em, result)) await storeResponse(em, once, once.encode(result));
  return result;
}
