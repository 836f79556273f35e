import type { EntityManager } from '@mikro-orm/postgresql';
import { setTimeout as pause } from 'node:timers/promises';
import { assertNoOpenTransaction, currentContext, remainingMs, runInsideTransaction } from '#libs/runtime';
import { runAfterCommit } from './after-commit.ts';
import { toDatabaseError, type ConstraintErrors } from './database-errors.ts';
import { claim, recordedResponse, storeResponse, type Once } from './idempotency.ts';
import { lastStatementOf } from './last-statement.ts';
import { faultKind } from './sql-state.ts';
import { beginTransaction, type Transaction, type TransactionOptions } from './transaction.ts';

/** The only way to change data. R is what the work may use: repositories over one entity manager. */
export interface UnitOfWork<R> {
  /**
   * Runs `work` in one transaction and commits when it returns; when it throws, nothing of it remains. It may run up
   * to four times, because conflicts with concurrent transactions (also of a stale entity version) are repeated, so it
   * must have no effect outside the database. Network calls, queues and hashing inside throw, as does another run.
   * With `once`, a request id that was used before gives the recorded result without running `work`.
   * Throws AppError for every fault of the database: unavailable (DATABASE_UNAVAILABLE), resource_exhausted
   * (OVERLOADED: no free connection), aborted (WRITE_CONFLICT), deadline_exceeded, cancelled, internal.
   */
  run<T>(work: (repositories: R) => Promise<T>, once?: Once<T>): Promise<T>;
  /**
   * The same result and the same errors as `run`, and nothing is written: the transaction is rolled back at its end. A
   * request id is neither looked up nor recorded.
   */
  rehearse<T>(work: (repositories: R) => Promise<T>, once?: Once<T>): Promise<T>;
}

export interface UnitOfWorkOptions<R> extends TransactionOptions {
  /** Throws once the database has been closed. */
  assertOpen: () => void;
  repositories: (em: EntityManager) => R;
  constraints?: ConstraintErrors | undefined;
  onOutcome?: ((outcome: 'committed' | 'rolled_back' | 'repeated') => void) | undefined;
}

const maxRepeats = 3;

export function createUnitOfWork<R>(options: UnitOfWorkOptions<R>): UnitOfWork<R> {
  const { assertOpen, repositories, constraints, onOutcome = () => undefined } = options;

  async function runOnce<T>(work: (repositories: R) => Promise<T>, once: Once<T> | undefined, end: 'commit' | 'rollback'): Promise<T> {
    const transaction = await beginTransaction(options);
    try {
      const result = await runInsideTransaction(() => workAndFlush(transaction.em, work, once));
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

  async function workAndFlush<T>(em: Transaction['em'], work: (repositories: R) => Promise<T>, once: Once<T> | undefined): Promise<T> {
    const recorded = once !== undefined && once.requestId !== '' ? once : undefined;
    const earlier = recorded && (await claim(em, recorded));
    if (recorded !== undefined && earlier !== undefined) return recorded.decode(earlier);
    const result = await work(repositories(em));
    await em.flush();
    const last = lastStatementOf(em);
    if (last !== undefined) await last(recorded === undefined ? [] : [recordedResponse(recorded, recorded.encode(result))]);
    else if (recorded !== undefined) await storeResponse(em, recorded, recorded.encode(result));
    return result;
  }

  async function repeatConflicts<T>(attempt: () => Promise<T>): Promise<T> {
    assertNoOpenTransaction('a unit of work');
    assertOpen();
    for (let repeat = 0; ; repeat += 1) {
      try {
        return await attempt();
      } catch (error) {
        const waitMs = backoffMs(repeat);
        if (faultKind(error) !== 'conflict' || repeat === maxRepeats || remainingMs() <= waitMs) {
          onOutcome('rolled_back');
          throw toDatabaseError(error, constraints);
        }
        onOutcome('repeated');
        currentContext()?.span?.event('transaction repeated', { 'taskflow.retry.attempt': repeat + 1 });
        await pause(waitMs);
      }
    }
  }

  return {
    run: async (work, once) => repeatConflicts(() => runOnce(work, once, 'commit')),
    rehearse: async (work) => repeatConflicts(() => runOnce(work, undefined, 'rollback')),
  };
}

/** 5–10, 10–20, 20–40 ms: transactions are short, and those that collided must not collide again. */
function backoffMs(repeat: number): number {
  return 5 * 2 ** repeat * (1 + Math.random());
}
