import { fileURLToPath } from 'node:url';
import { idempotencyTable, type DatabaseDefinition } from '#libs/db';
import { eventLogTables, logIncarnations, outboxTable } from '#libs/events';
import { Comment } from '../domain/comment.entity.ts';
import { OverdueMove } from '../domain/overdue-move.entity.ts';
import { DepartureSchema } from '../domain/departure.columns.ts';
import { InvitationSchema } from '../domain/invitation.entity.ts';
import { Member, Project } from '../domain/project.entity.ts';
import { ProjectWatcherSchema } from '../domain/project-watcher.columns.ts';
import { TaskDue } from '../domain/task-due.entity.ts';
import { Task } from '../domain/task.entity.ts';
import { WatcherSchema } from '../domain/watcher.columns.ts';

export function databaseDefinition(url: string): DatabaseDefinition {
  return {
    url,
    entities: [
      Task,
      TaskDue,
      OverdueMove,
      Project,
      Member,
      DepartureSchema,
      InvitationSchema,
      Comment,
      WatcherSchema,
      ProjectWatcherSchema,
      idempotencyTable.entity,
      ...eventLogTables.entities,
      ...outboxTable.entities,
      logIncarnations.entity,
    ],
    migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)),
  };
}
