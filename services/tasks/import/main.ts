// npm run import -- FILE: loads tasks from a todo.txt, Todoist or iCalendar file through the public API.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { openPublicClient } from '#libs/grpc';
import { findZone } from '../src/domain/due-day.ts';
import { findCredentials, openAccount, patienceMs, resolveFile, runCommand, tasksAddress, type Credentials } from '../exchange/account.ts';
import { BrokenFile, type Malformed, type TaskFile } from '../exchange/file-task.ts';
import { chooseFormat } from '../exchange/formats.ts';
import { uploadTasks, type UploadResult } from './upload.ts';

const usage = `usage: npm run import -- FILE [--format todo.txt|todoist|ics] [--zone ZONE] [--dry-run] [--email E-MAIL]
  FILE                    todo.txt (.txt), a Todoist export (.csv) or iCalendar (.ics)
  --zone                  of days and times that name none, such as Europe/Berlin; UTC when not given
  --dry-run               only checks, and writes nothing
  --email, TASKFLOW_EMAIL whose tasks they become
  TASKFLOW_PASSWORD       that account's password
  TASKFLOW_AUTH_ADDRESS, TASKFLOW_TASKS_ADDRESS   127.0.0.1:50051 and 127.0.0.1:50053 when not set
Running it again adds nothing twice.
Exit status: 0 all entries are there; 2 some were skipped, each is named; 1 it failed, and the last line says what is there.`;

interface Settings {
  file: string;
  format: string | undefined;
  zone: string;
  dryRun: boolean;
  credentials: Credentials;
}

const options = { email: { type: 'string' }, format: { type: 'string' }, zone: { type: 'string', default: 'UTC' }, 'dry-run': { type: 'boolean', default: false } } as const;

function readSettings(): Settings {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const credentials = findCredentials(values.email);
  const [file] = positionals;
  if (file === undefined || positionals.length > 1 || credentials === undefined) throw new Error(usage);
  const zone = findZone(values.zone);
  if (zone === undefined) throw new Error(`--zone ${values.zone}: is not a time zone like Europe/Berlin`);
  return { file: resolveFile(file), format: values.format, zone, dryRun: values['dry-run'], credentials };
}

function readFile({ file, format, zone }: Settings): TaskFile {
  const chosen = chooseFormat(file, format);
  try {
    return chosen.read(readFileSync(file, 'utf8'), { zone });
  } catch (error) {
    if (error instanceof BrokenFile) throw new Error(`${file} ${error.message}; nothing was imported`);
    throw error;
  }
}

function report(entries: readonly Malformed[], file: string): void {
  for (const { place, problem } of entries) process.stderr.write(`${file}${place}: skipped: ${problem}\n`);
}

function summarise({ tasks, malformed }: TaskFile, { added, present, refused, failure }: UploadResult, dryRun: boolean): number {
  const skipped = malformed.length + refused.length;
  const left = tasks.length - added - present - refused.length;
  const unknown = failure === undefined ? '' : `, ${left} unknown or not tried: run it again`;
  process.stdout.write(`${dryRun ? 'nothing was written; would be: ' : ''}${added} added, ${present} already there, ${skipped} skipped${unknown}\n`);
  return skipped === 0 ? 0 : 2;
}

async function run(): Promise<number> {
  const settings = readSettings();
  const { file, dryRun, credentials } = settings;
  const read = readFile(settings);
  report(read.malformed, file);
  const account = openAccount(credentials);
  const client = openPublicClient(TasksServiceService, tasksAddress());
  try {
    // A wrong password shows also when there is nothing to add.
    await account.token();
    const result = await uploadTasks(read.tasks, { client, token: account.token, runId: randomUUID(), dryRun, patienceMs });
    report(result.refused, file);
    const status = summarise(read, result, dryRun);
    if (result.failure !== undefined) throw result.failure;
    return status;
  } finally {
    client.close();
    account.close();
  }
}

await runCommand('import', run);
