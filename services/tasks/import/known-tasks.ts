import { BatchGetTasksRequest, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { CallError, retry, type PublicClient } from '#libs/grpc';

export interface KnownTasksOptions {
  client: PublicClient<typeof TasksServiceService>;
  /** Returns a valid token. */
  token: () => Promise<string>;
  giveUpAfterMs: number;
}

/** The ids of tasks that the account can see. They were exported from here and need not be created. */
export async function findKnownTasks(
  taskIds: readonly string[],
  options: KnownTasksOptions,
): Promise<ReadonlySet<string>> {
  if (taskIds.length === 0) return new Set();
  const { client, token, giveUpAfterMs } = options;
  const request = BatchGetTasksRequest.fromPartial({ taskIds: [...taskIds], allowPartial: true });
  try {
    const { results } = await retry(async () => client.batchGetTasks(request, { token: await token() }), giveUpAfterMs);
    return new Set(results.flatMap(({ result }) => (result?.$case === 'task' ? [result.value.id] : [])));
  } catch (error) {
    // Tasks of the account may be much larger than their entries in a file.
    if (taskIds.length === 1 || !(error instanceof CallError) || error.reason !== 'REQUEST_TOO_LARGE') throw error;
    const half = Math.ceil(taskIds.length / 2);
    const found = [
      await findKnownTasks(taskIds.slice(0, half), options),
      await findKnownTasks(taskIds.slice(half), options),
    ];
    return new Set(found.flatMap((ids) => [...ids]));
  }
}
