import { Migration as OrmMigration } from '@mikro-orm/migrations';

/**
 * One step of a schema, in a transaction of its own. A release runs beside the one before it, so new migrations only
 * expand: `npm run migrations:check` refuses statements that contract, rewrite or lock a released table, except with
 * one of the two marks.
 */
export abstract class Migration extends OrmMigration {
  /** The released migration that this one completes. Since that release nobody needs what this one takes away. */
  readonly completes: string | undefined = undefined;
  /** Released tables of at most a few thousand rows, which may be rewritten and locked meanwhile. */
  readonly smallTables: readonly string[] = [];
}

/**
 * Runs outside of any transaction, for CREATE INDEX CONCURRENTLY and similar statements. It runs again after a crash,
 * so each `addSql` is one statement that has no effect the second time (IF NOT EXISTS, IF EXISTS). An invalid index
 * that a broken-off run left is dropped first.
 */
export abstract class ConcurrentMigration extends Migration {
  override isTransactional(): boolean {
    return false;
  }
}
