import { fileURLToPath } from 'node:url';
import { idempotencyTable, type DatabaseDefinition } from '#libs/db';
import { eventLogTables } from '#libs/events';
import { OverdueMove } from '../domain/overdue-move.entity.ts';
import { TaskDue } from '../domain/task-due.entity.ts';
import { Task } from '../domain/task.entity.ts';

/** What the database of tasks is made of. */
export function databaseDefinition(url: string): DatabaseDefinition {
  return {
    url,
    entities: [Task, TaskDue, OverdueMove, idempotencyTable.entity, ...eventLogTables.entities],
    migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)),
  };
}
