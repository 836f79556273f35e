import { pagesOf, type TaskFlow } from '#client/index';
import type { Task } from '#client/tasks';
import { patient } from '../exchange/patient.ts';
import type { FileFormat } from '../exchange/formats.ts';
import { toStoredTask } from '../exchange/task-messages.ts';

export interface ExportOptions {
  client: TaskFlow['tasks'];
  format: FileFormat;
  /** Exports only tasks of this owner; undefined = all that the account lists. */
  ownerId: string | undefined;
  /** Called with what is left out or changed of a task, worded to follow "is written …". */
  onLoss: (taskId: string, loss: string) => void;
}

export interface ExportCounts {
  written: number;
  /** Tasks that the format cannot hold. */
  unfit: number;
  /** Tasks of others that were not asked for. */
  assigned: number;
}

const pageSize = 200;
/** Without names of people: no format has them, and they would cost a call to users. */
const readMask =
  'owner_id title description status priority due_time due_day labels external_id create_time update_time complete_time'.split(
    ' ',
  );

function isWanted(task: Task, { format, ownerId }: ExportOptions, counts: ExportCounts): boolean {
  if (ownerId !== undefined && task.ownerId !== ownerId) counts.assigned += 1;
  else if (!format.fits(toStoredTask(task))) counts.unfit += 1;
  else {
    counts.written += 1;
    return true;
  }
  return false;
}

/**
 * Yields the text of the file, one page of tasks at a time, oldest first. Reads the next page when the text before it was taken.
 * A task that exists during the whole export is in the file once.
 */
export async function* writePages(options: ExportOptions, counts: ExportCounts): AsyncGenerator<string> {
  const { client, format } = options;
  yield format.header;
  const request = { pageSize, orderBy: 'create_time', readMask: { paths: readMask } };
  for await (const { tasks } of pagesOf(patient(client.listTasks), request)) {
    const written = tasks
      .filter((task) => isWanted(task, options, counts))
      .map(toStoredTask)
      .map((task) => ({ ...format.write(task), id: task.id }));
    yield written.map(({ text }) => text).join('');
    for (const { id, losses } of written) for (const loss of losses) options.onLoss(id, loss);
  }
  yield format.footer;
}
