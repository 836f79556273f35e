import type { DescService } from '@bufbuild/protobuf';
import { AuthService } from '#client/auth';
import type { ServiceClient } from '#client/index';
import { NotificationsService } from '#client/scheduler';
import { ProjectsService, TasksService } from '#client/tasks';
import { UsersService } from '#client/users';
import { connect } from '#client/web';
import { BrowserSession } from './session/browser-session.ts';

const origin = connect({ address: location.origin });

export const session = new BrowserSession(connect({ address: `${location.origin}/session` }));

const connection = origin.as(session);

/** A service that only some views need, such as those of administrators; they load its descriptors themselves. */
export const serviceAt = <S extends DescService>(
  service: S,
  at?: 'auth' | 'users' | 'tasks' | 'scheduler',
): ServiceClient<S> => connection.service(service, at && { at });

export const api = {
  auth: connection.service(AuthService),
  notifications: connection.service(NotificationsService),
  projects: connection.service(ProjectsService),
  tasks: connection.service(TasksService),
  users: connection.service(UsersService),
};
