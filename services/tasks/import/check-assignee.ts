import { CreateTaskRequest, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { CallError, retry, type PublicClient } from '#libs/grpc';
import { giveUpAfterMs } from '../exchange/account.ts';

interface Caller {
  client: PublicClient<typeof TasksServiceService>;
  /** Returns a valid token. */
  token: () => Promise<string>;
}

/** Before the import, since otherwise each of its tasks would be refused. */
export async function checkAssignee(assigneeEmail: string, { client, token }: Caller): Promise<void> {
  const request = CreateTaskRequest.fromPartial({ task: { title: 'any' }, assigneeEmail, validateOnly: true });
  try {
    await retry(async () => client.createTask(request, { token: await token() }), giveUpAfterMs);
  } catch (error) {
    const isRefused = error instanceof CallError && error.details.violations !== undefined;
    if (!isRefused) throw error;
    throw new Error(`--assignee ${assigneeEmail}: the account finds nobody by this e-mail; nothing was imported`);
  }
}
