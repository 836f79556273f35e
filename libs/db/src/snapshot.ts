import { assertNoOpenTransaction } from '#libs/runtime';
import { toDatabaseError } from './database-errors.ts';
import type { SqlReader } from './reader.ts';
import { runStatement } from './statement.ts';
import { beginSnapshot, type Transaction, type TransactionOptions } from './transaction.ts';

/** Reads much, all of it as of one moment. */
export interface Snapshots {
  /**
   * Yields what `read` yields. All that it reads is of the moment of its first statement, whatever is changed
   * meanwhile. It holds a connection and keeps the server from cleaning up behind it, so it ends with the call, and when
   * nothing is read for `idleMs`: whoever takes what it yields must not wait so long.
   */
  read<T>(read: (reader: SqlReader) => AsyncIterable<T>, idleMs: number): AsyncGenerator<T, void>;
}

interface SnapshotsOptions extends TransactionOptions {
  /** Throws after the database was closed, and while it does not answer. */
  assertUsable: () => void;
  /** Finds the real cause of a fault: see Silence. */
  explain: (error: unknown) => Promise<unknown>;
}

export function createSnapshots({ assertUsable, explain, ...options }: SnapshotsOptions): Snapshots {
  return {
    read: async function* (read, idleMs) {
      assertNoOpenTransaction('a snapshot');
      assertUsable();
      let transaction: Transaction | undefined;
      try {
        transaction = await beginSnapshot(options, idleMs);
        const { em } = transaction;
        yield* read({ query: (statement, parameters) => runStatement(em, statement, parameters) });
      } catch (error) {
        throw toDatabaseError(await explain(error));
      } finally {
        await transaction?.rollback();
      }
    },
  };
}
