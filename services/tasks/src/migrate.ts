import { readCommandOptions, runMigrateCommand } from '#libs/db';
import { databaseDefinition } from './db/database.ts';

await runMigrateCommand(() => readCommandOptions('tasks', databaseDefinition));
