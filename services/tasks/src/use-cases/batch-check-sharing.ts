import type { BatchCheckSharingResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';

export interface BatchCheckSharingInput {
  userId: string;
  otherUserIds: string[];
}

/** Which of the others share a task or a project with the user. */
export async function batchCheckSharing(
  { taskReader }: Pick<TasksDeps, 'taskReader'>,
  { userId, otherUserIds }: BatchCheckSharingInput,
): Promise<BatchCheckSharingResponse> {
  return { sharingUserIds: [...(await taskReader.findSharing(userId, otherUserIds))] };
}
