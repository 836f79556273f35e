import { randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskFlow } from '#client/index';
import { BrokenFile, type FileEntry, type ImportedTask, type Notice } from '../exchange/file-task.ts';
import { readableFormats, type ReadableFormat } from '../exchange/formats.ts';
import { createTaskChecksum, type TaskChecksum } from '../exchange/task-checksum.ts';
import { checkAssignee } from './check-assignee.ts';
import { newUploadResult, uploadTasks, type UploadResult } from './upload.ts';

export interface ImportSettings {
  /** "-" is the standard input. */
  file: string;
  format: ReadableFormat;
  zone: string;
  dryRun: boolean;
  /** Everybody's assignee; '' = nobody. */
  assigneeEmail: string;
}

/** Whose tasks they become. */
export interface ImportingAccount {
  tasks: TaskFlow['tasks'];
  userId(): Promise<string>;
}

interface OpenFile extends ImportSettings {
  /** Where it is read from. */
  path: string;
}

/** Files are read twice, so standard input is kept in one meanwhile, which only its owner may read. */
async function withFile<T>(settings: ImportSettings, work: (open: OpenFile) => Promise<T>): Promise<T> {
  if (settings.file !== '-') return work({ ...settings, path: settings.file });
  const folder = await mkdtemp(join(tmpdir(), 'taskflow-import-'));
  const path = join(folder, 'input');
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Ctrl-C ends the process in the middle of the work.
  process.once('exit', remove);
  try {
    await writeFile(path, process.stdin, { mode: 0o600 });
    return await work({ ...settings, path });
  } finally {
    process.off('exit', remove);
    remove();
  }
}

async function* readEntries({ file, path, format, zone }: OpenFile): AsyncGenerator<FileEntry> {
  try {
    yield* format.read(() => createReadStream(path), { zone });
  } catch (error) {
    if (error instanceof BrokenFile) throw new Error(`${file} ${error.message}; nothing was imported`);
    throw error;
  }
}

function report({ place, problem }: Notice, file: string): void {
  process.stderr.write(`${file}${place}: ${problem}\n`);
}

const reportSkipped = ({ place, problem }: Notice, file: string): void =>
  report({ place, problem: `skipped: ${problem}` }, file);

type Progress = <T>(describe: () => string, work: () => Promise<T>) => Promise<T>;

interface FileCounts {
  tasks: number;
  skipped: number;
  /** Of what the file has, whether or not it is there already. */
  checksum: TaskChecksum;
}

/** Reads the whole file before the import, so that nothing of a broken file is imported. */
async function check(settings: OpenFile): Promise<FileCounts> {
  const counts: FileCounts = { tasks: 0, skipped: 0, checksum: createTaskChecksum() };
  for await (const entry of readEntries(settings)) {
    if ('task' in entry) {
      counts.tasks += 1;
      counts.checksum.add(entry.task);
    } else if ('remark' in entry) report(entry.remark, settings.file);
    else {
      counts.skipped += 1;
      reportSkipped(entry.skipped, settings.file);
    }
  }
  return counts;
}

async function* readTasks(settings: OpenFile): AsyncGenerator<ImportedTask> {
  for await (const entry of readEntries(settings)) if ('task' in entry) yield entry.task;
}

const answered = ({ added, present, refused }: UploadResult): number => added + present + refused;

/** How an import ended. */
export interface ImportReport {
  added: number;
  present: number;
  /** Unreadable in the file, or refused by the service; each was named on standard error. */
  skipped: number;
  /** Not tried, or not answered, because of `failure`. */
  unknown: number;
  failure?: unknown;
  /** What the file has, when it is an export of everything. */
  checksum?: string;
}

/**
 * Checks the whole file, and then creates its tasks in the account, which is opened only for a file that is good.
 * `progress` does the work and may show how far it is.
 */
export const importFile = (
  settings: ImportSettings,
  open: () => Promise<ImportingAccount>,
  progress: Progress,
): Promise<ImportReport> => withFile(settings, (file) => importOpen(file, open, progress));

async function importOpen(
  settings: OpenFile,
  open: () => Promise<ImportingAccount>,
  progress: Progress,
): Promise<ImportReport> {
  const { file, format, dryRun, assigneeEmail } = settings;
  const counts = await check(settings);
  const { tasks: client, userId } = await open();
  if (assigneeEmail !== '') await checkAssignee(assigneeEmail, client);
  const result = newUploadResult();
  const onRefused = (notice: Notice): void => reportSkipped(notice, file);
  const options = { client, userId, runId: randomUUID(), dryRun, assigneeEmail, onRefused };
  await progress(
    () => `${answered(result)} of ${counts.tasks} tasks`,
    () => uploadTasks(readTasks(settings), options, result),
  );
  const { added, present, refused, failure } = result;
  return {
    added,
    present,
    skipped: counts.skipped + refused,
    unknown: counts.tasks - answered(result),
    ...(failure !== undefined && { failure }),
    ...(format === readableFormats.jsonl && { checksum: String(counts.checksum) }),
  };
}

/** The last line of an import. */
export function summarise({ added, present, skipped, unknown, failure }: ImportReport, dryRun: boolean): string {
  const left = failure === undefined ? '' : `, ${unknown} unknown or not tried: run it again`;
  const condition = dryRun ? 'nothing was written; would be: ' : '';
  return `${condition}${added} added, ${present} already there, ${skipped} skipped${left}`;
}
