import { openDatabase, runDatabaseCommand, type Database, type DatabaseDefinition } from '#libs/db';
import type { Logger } from '#libs/runtime';
import { renewIncarnation } from './incarnation.ts';

export interface AfterRestoreOptions extends DatabaseDefinition {
  logger: Logger;
}

/**
 * The body of the command for a database whose rows were put back. It begins another incarnation of the log, because a
 * restore in place does not show by itself, and then runs the service's own `work`. An extra run only makes clients
 * synchronise again.
 */
export function runAfterRestoreCommand(
  readOptions: () => AfterRestoreOptions,
  work?: (database: Database) => Promise<object>,
): Promise<void> {
  return runDatabaseCommand('after-restore', readOptions, async (options) => {
    const database = await openDatabase({ ...options, poolSize: 1, applicationName: 'taskflow after-restore' });
    try {
      const incarnation = await renewIncarnation(database.reader);
      const done = await work?.(database);
      options.logger.info({ incarnation: String(incarnation), ...done }, 'the log goes on in another incarnation');
    } finally {
      await database.close();
    }
  });
}
