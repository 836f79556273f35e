import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { createClient, type ClientOptions } from '#libs/grpc';
import type { SharingPort } from '../domain/sharing.port.ts';

export function openSharing(options: Omit<ClientOptions, 'callee'>): SharingPort & { close(): void } {
  const tasks = createClient(InternalTasksServiceService, { ...options, callee: 'tasks' });
  return {
    shareTask: async (userId, otherUserId) => {
      const { sharingUserIds } = await tasks.client.batchCheckSharing({ userId, otherUserIds: [otherUserId] });
      return sharingUserIds.includes(otherUserId);
    },
    close: tasks.close,
  };
}
