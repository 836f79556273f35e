import { ListTasksRequest, type Task, type TasksServiceService } from '#contract/tasks/v1/tasks';
import { patiently, type PublicClient } from '#libs/grpc';
import { patienceMs } from '../exchange/account.ts';
import type { FileFormat } from '../exchange/formats.ts';

export interface ExportOptions {
  client: PublicClient<typeof TasksServiceService>;
  /** A token that is valid now. */
  token: () => Promise<string>;
  format: FileFormat;
  /** Only the tasks that this user owns; undefined: all that the account lists. */
  ownerId: string | undefined;
}

export interface ExportCounts {
  written: number;
  /** The format has no place for them. */
  unfit: number;
  /** Others' tasks that were not asked for. */
  assigned: number;
}

const pageSize = 200;
/** Without the names of people, which no file takes: they would cost a call to users. */
const readMask = [
  'owner_id', 'title', 'description', 'status', 'priority', 'due_time', 'due_date', 'due_zone', 'labels', 'external_id', 'create_time', 'update_time', 'complete_time',
];

function isWanted(task: Task, { format, ownerId }: ExportOptions, counts: ExportCounts): boolean {
  if (ownerId !== undefined && task.ownerId !== ownerId) counts.assigned += 1;
  else if (!format.fits(task)) counts.unfit += 1;
  else {
    counts.written += 1;
    return true;
  }
  return false;
}

/**
 * The file's text, a page of tasks at a time, oldest first: the next page is asked for when the text before it was taken.
 * A task that exists all the while is in it once.
 */
export async function* writePages(options: ExportOptions, counts: ExportCounts): AsyncGenerator<string> {
  const { client, token, format } = options;
  yield format.header;
  let pageToken = '';
  do {
    const request = ListTasksRequest.fromPartial({ pageSize, pageToken, orderBy: 'create_time', readMask });
    const page = await patiently(async () => client.listTasks(request, { token: await token() }), patienceMs);
    yield page.tasks.filter((task) => isWanted(task, options, counts)).map((task) => format.write(task)).join('');
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  yield format.footer;
}
