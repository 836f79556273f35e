import { runMigrateCommand } from '#libs/db';
import { createLogger } from '#libs/runtime';
import { readDatabaseUrl } from './config.ts';
import { databaseDefinition } from './db/database.ts';

await runMigrateCommand(() => ({
  ...databaseDefinition(readDatabaseUrl()),
  logger: createLogger({ service: 'scheduler', level: 'info' }),
}));
