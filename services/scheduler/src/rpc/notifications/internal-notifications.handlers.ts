import type { InternalNotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { fieldTypes, parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { deleteUserNotifications } from '../../use-cases/notifications/delete-user-notifications.ts';

/** The methods for other services. */
export function internalNotificationsHandlers(deps: SchedulerDeps): Handlers<InternalNotificationsServiceService> {
  return {
    deleteUserNotifications: async (request) => deleteUserNotifications(deps, parseRequest(userSchema, request).userId),
  };
}

const userSchema = z.object({ userId: fieldTypes.uuid() });
