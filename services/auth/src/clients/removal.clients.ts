import { InternalNotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { InternalUsersServiceService } from '#contract/users/v1/users';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { Removers } from '../domain/removal.ports.ts';

export interface RemovalAddresses {
  tasks: string;
  scheduler: string;
  users: string;
}

/** Has the other services remove what belongs to an account. */
export function createRemovers(
  addresses: RemovalAddresses,
  options: Omit<ClientOptions, 'callee' | 'address'>,
): Removers & { close(): void } {
  const at = <C extends keyof RemovalAddresses>(callee: C) => ({ callee, address: addresses[callee], ...options });
  const tasks = createClient(InternalTasksServiceService, at('tasks'));
  const notifications = createClient(InternalNotificationsServiceService, at('scheduler'));
  const users = createClient(InternalUsersServiceService, at('users'));
  return {
    tasks: async (userId, successorId) => (await tasks.client.deleteUserTasks({ userId, successorId })).more,
    notifications: async (userId) => (await notifications.client.deleteUserNotifications({ userId })).more,
    profile: async (userId) => void (await users.client.deleteProfile({ userId })),
    close: () => [tasks, notifications, users].forEach(({ close }) => close()),
  };
}
