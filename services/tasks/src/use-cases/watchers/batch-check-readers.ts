import type { BatchCheckReadersResponse } from '#contract/tasks/v1/tasks';
import type { ReaderPair, TasksDeps } from '../../deps.ts';

export async function batchCheckReaders(
  { watcherReader }: Pick<TasksDeps, 'watcherReader'>,
  checks: ReaderPair[],
): Promise<BatchCheckReadersResponse> {
  return { mayRead: await watcherReader.mayRead(checks) };
}
