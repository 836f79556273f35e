// npm run import -- FILE: loads tasks from a todo.txt, Todoist or iCalendar file through the public API.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { findServices, runCommand, UsageError, type Progress } from '#dev/cluster';
import { findTimeZone } from '#libs/errors';
import { openClientCertificates } from '#libs/runtime';
import { findCredentials, openAccount, resolveFile, servicesFor, type Credentials } from '../exchange/account.ts';
import { BrokenFile, type FileEntry, type ImportedTask, type Notice } from '../exchange/file-task.ts';
import { chooseFormat, readableFormats, type ReadableFormat } from '../exchange/formats.ts';
import { createTaskChecksum, type TaskChecksum } from '../exchange/task-checksum.ts';
import { checkAssignee } from './check-assignee.ts';
import { newUploadResult, uploadTasks, type UploadResult } from './upload.ts';

interface Settings {
  file: string;
  format: ReadableFormat;
  zone: string;
  dryRun: boolean;
  /** Everybody's assignee; '' = nobody. */
  assigneeEmail: string;
  credentials: Credentials;
}

const options = {
  email: { type: 'string' },
  format: { type: 'string' },
  zone: { type: 'string', default: 'UTC' },
  'dry-run': { type: 'boolean', default: false },
  assignee: { type: 'string', default: '' },
} as const;

function readSettings(): Settings {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('say which one file to import');
  const credentials = findCredentials(values.email);
  const zone = findTimeZone(values.zone);
  if (zone === undefined) throw new UsageError(`--zone ${values.zone}: is not a time zone like Europe/Berlin`);
  return {
    file: resolveFile(file),
    format: chooseFormat(readableFormats, file, values.format),
    zone,
    dryRun: values['dry-run'],
    assigneeEmail: values.assignee,
    credentials,
  };
}

async function* readEntries({ file, format, zone }: Settings): AsyncGenerator<FileEntry> {
  try {
    yield* format.read(() => createReadStream(file), { zone });
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

interface FileCounts {
  tasks: number;
  skipped: number;
  /** Of what the file has, whether or not it is there already. */
  checksum: TaskChecksum;
}

/** Reads the whole file before the import, so that nothing of a broken file is imported. */
async function check(settings: Settings): Promise<FileCounts> {
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

async function* readTasks(settings: Settings): AsyncGenerator<ImportedTask> {
  for await (const entry of readEntries(settings)) if ('task' in entry) yield entry.task;
}

const answered = ({ added, present, refused }: UploadResult): number => added + present + refused;

function summarise(counts: FileCounts, result: UploadResult, dryRun: boolean): number {
  const { added, present, refused, failure } = result;
  const skipped = counts.skipped + refused;
  const left = counts.tasks - answered(result);
  const unknown = failure === undefined ? '' : `, ${left} unknown or not tried: run it again`;
  process.stdout.write(
    `${dryRun ? 'nothing was written; would be: ' : ''}${added} added, ${present} already there, ${skipped} skipped${unknown}\n`,
  );
  return skipped === 0 ? 0 : 2;
}

async function run(progress: Progress): Promise<number> {
  const settings = readSettings();
  const { file, format, dryRun, assigneeEmail, credentials } = settings;
  const counts = await check(settings);
  const certificates = openClientCertificates();
  const addresses = await findServices([...servicesFor(credentials), 'tasks'], certificates);
  const account = openAccount(credentials, addresses, certificates);
  try {
    // Signs in first, so that a wrong password is reported even for an empty file.
    await progress(() => `waiting for auth at ${addresses.auth}`, account.signIn);
    if (assigneeEmail !== '') await checkAssignee(assigneeEmail, account.tasks);
    const result = newUploadResult();
    const onRefused = (notice: Notice): void => reportSkipped(notice, file);
    const upload = async () =>
      uploadTasks(
        readTasks(settings),
        { client: account.tasks, userId: account.userId, runId: randomUUID(), dryRun, assigneeEmail, onRefused },
        result,
      );
    await progress(() => `${answered(result)} of ${counts.tasks} tasks`, upload);
    const status = summarise(counts, result, dryRun);
    if (format === readableFormats.jsonl) process.stdout.write(`the file has ${counts.checksum}\n`);
    if (result.failure !== undefined) throw result.failure;
    return status;
  } finally {
    account.close();
  }
}

await runCommand('import', run);
