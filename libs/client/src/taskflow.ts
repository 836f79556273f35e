import type { Connection } from './connection.ts';
import { personalToken } from './credentials.ts';
import { AuthService } from './gen/taskflow/auth/v1/auth_pb.js';
import { NotificationsService } from './gen/taskflow/scheduler/v1/notifications_pb.js';
import { SchedulerService } from './gen/taskflow/scheduler/v1/scheduler_pb.js';
import { CommentsService } from './gen/taskflow/tasks/v1/comments_pb.js';
import { ProjectsService } from './gen/taskflow/tasks/v1/projects_pb.js';
import { TasksService } from './gen/taskflow/tasks/v1/tasks_pb.js';
import { UsersService } from './gen/taskflow/users/v1/users_pb.js';
import type { ServiceClient } from './service-client.ts';
import { Session, type SessionOptions } from './session.ts';

/** A personal token for a program, or the session of a person. */
export type TaskFlowCredentials = { personalToken: string } | SessionOptions;

/** The services, called as one person or program. */
export class TaskFlow<S extends Session | undefined = Session | undefined> {
  /** Signs in and out; undefined with a personal token. */
  readonly session: S;
  readonly connection: Connection;

  constructor(connection: Connection, session: S) {
    this.connection = connection;
    this.session = session;
  }

  get auth(): ServiceClient<typeof AuthService> {
    return this.connection.service(AuthService);
  }

  get users(): ServiceClient<typeof UsersService> {
    return this.connection.service(UsersService);
  }

  get tasks(): ServiceClient<typeof TasksService> {
    return this.connection.service(TasksService);
  }

  get projects(): ServiceClient<typeof ProjectsService> {
    return this.connection.service(ProjectsService);
  }

  get comments(): ServiceClient<typeof CommentsService> {
    return this.connection.service(CommentsService);
  }

  get notifications(): ServiceClient<typeof NotificationsService> {
    return this.connection.service(NotificationsService);
  }

  get scheduler(): ServiceClient<typeof SchedulerService> {
    return this.connection.service(SchedulerService);
  }

  close(): void {
    this.connection.close();
  }
}

export function openTaskFlow(connection: Connection, credentials: { personalToken: string }): TaskFlow<undefined>;
export function openTaskFlow(connection: Connection, credentials?: SessionOptions): TaskFlow<Session>;
export function openTaskFlow(connection: Connection, credentials: TaskFlowCredentials): TaskFlow;
export function openTaskFlow(connection: Connection, credentials: TaskFlowCredentials = {}): TaskFlow {
  if ('personalToken' in credentials)
    return new TaskFlow(connection.as(personalToken(credentials.personalToken)), undefined);
  const session = new Session(connection, credentials);
  return new TaskFlow(connection.as(session), session);
}
