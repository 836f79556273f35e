import type { Connection, TaskFlow } from '#client/index';
import type { FileFormat } from '../exchange/formats.ts';
import { newEverythingCounts, writeEverything } from './write-everything.ts';
import { writeFile } from './write-file.ts';
import { writePages, type ExportCounts } from './write-pages.ts';

/** Does the work and may show how far it is. */
type Progress = <T>(describe: () => string, work: () => Promise<T>) => Promise<T>;

/** Where the file goes; "-" is the standard output. */
export interface ExportTarget {
  file: string;
  progress: Progress;
  /** Ends it, and no file is left. */
  signal?: AbortSignal;
}

export interface ExportedTasks {
  tasks: TaskFlow['tasks'];
  format: FileFormat;
  /** Exports only tasks of this owner; undefined = all that the account lists. */
  ownerId: string | undefined;
}

/** Writes the tasks in a format. Returns what to say of it; what a task is written without stands on standard error. */
export async function exportTasks(
  { tasks: client, format, ownerId }: ExportedTasks,
  { file, progress, signal }: ExportTarget,
): Promise<string> {
  const counts: ExportCounts = { written: 0, unfit: 0, assigned: 0 };
  const onLoss = (taskId: string, loss: string): void =>
    void process.stderr.write(`task ${taskId} is written ${loss}\n`);
  const pages = writePages({ client, format, ownerId, onLoss }, counts);
  await progress(
    () => `${counts.written} tasks written`,
    () => writeFile(file, pages, signal),
  );
  return summarise(counts);
}

function summarise({ written, unfit, assigned }: ExportCounts): string {
  const left = [
    unfit > 0 ? `${unfit} left out: the format has only open tasks` : '',
    assigned > 0 ? `${assigned} of others left out: --assigned takes them too` : '',
  ];
  return [`${written} written`, ...left.filter((part) => part !== '')].join(', ');
}

/** Writes all that is the account's own, from all services. Returns what to say of it. */
export async function exportEverything(
  connection: Connection,
  { file, progress, signal }: ExportTarget,
): Promise<string> {
  const counts = newEverythingCounts();
  const pieces = writeEverything(connection, counts);
  await progress(
    () => `${counts.lines} lines written`,
    () => writeFile(file, pieces, signal),
  );
  const unread = counts.unread > 0 ? `; ${counts.unread} more tasks that an import of this version would skip` : '';
  return `${counts.lines} lines written, with ${counts.checksum}${unread}`;
}
