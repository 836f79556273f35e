import type { Cli } from '../cli.ts';
import { resolveTask } from '../input/short-ids.ts';

/** Does the same for several tasks. All ids are understood before the first change. */
export async function changeTasks(
  cli: Cli,
  typed: readonly string[],
  { change, showDeleted = false }: { change: (taskId: string) => Promise<void>; showDeleted?: boolean },
): Promise<void> {
  const ids: string[] = [];
  for (const one of typed) ids.push(await resolveTask(one, cli.taskflow, { showDeleted }));
  for (const id of new Set(ids)) await change(id);
}
