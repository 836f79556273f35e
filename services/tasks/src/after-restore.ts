import { readCommandOptions } from '#libs/db';
import { runAfterRestoreCommand } from '#libs/events';
import { databaseDefinition } from './db/database.ts';

await runAfterRestoreCommand(() => readCommandOptions('tasks', databaseDefinition));
