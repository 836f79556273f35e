// npm run export -- FILE: writes tasks to a todo.txt, Todoist or iCalendar file, page by page.
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { openPublicClient } from '#libs/grpc';
import { findCredentials, openAccount, resolveFile, runCommand, tasksAddress, type Credentials } from '../exchange/account.ts';
import { chooseFormat, type FileFormat } from '../exchange/formats.ts';
import { writePages, type ExportCounts } from './write-pages.ts';

const usage = `usage: npm run export -- FILE [--format todo.txt|todoist|ics] [--assigned] [--email E-MAIL]
  FILE                    todo.txt (.txt), Todoist (.csv) or iCalendar (.ics); "-" is the standard output
  --assigned              also the tasks of others that are assigned to the account
  --email, TASKFLOW_EMAIL whose tasks
  TASKFLOW_PASSWORD       that account's password
  TASKFLOW_AUTH_ADDRESS, TASKFLOW_TASKS_ADDRESS   127.0.0.1:50051 and 127.0.0.1:50053 when not set
Exit status: 0 the file is whole; 1 it failed, and there is no new file.`;

interface Settings {
  file: string;
  format: FileFormat;
  assigned: boolean;
  credentials: Credentials;
}

const options = { email: { type: 'string' }, format: { type: 'string' }, assigned: { type: 'boolean', default: false } } as const;

function readSettings(): Settings {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const credentials = findCredentials(values.email);
  const [file] = positionals;
  if (file === undefined || positionals.length > 1 || credentials === undefined) throw new Error(usage);
  return { file: file === '-' ? file : resolveFile(file), format: chooseFormat(file, values.format), assigned: values.assigned, credentials };
}

/** A file that ends early would pass for a whole one, so it gets its name when it is whole. */
async function writeFile(file: string, text: AsyncIterable<string>): Promise<void> {
  const unfinished = `${file}.part`;
  try {
    await pipeline(Readable.from(text, { objectMode: false }), createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

async function writeOutput(text: AsyncIterable<string>): Promise<void> {
  await pipeline(Readable.from(text, { objectMode: false }), process.stdout, { end: false });
}

function summarise({ written, unfit, assigned }: ExportCounts): void {
  const left = [unfit > 0 ? `${unfit} left out: the format has only open tasks` : '', assigned > 0 ? `${assigned} of others left out: --assigned takes them too` : ''];
  process.stderr.write(`${[`${written} written`, ...left.filter((part) => part !== '')].join(', ')}\n`);
}

async function run(): Promise<number> {
  const { file, format, assigned, credentials } = readSettings();
  const account = openAccount(credentials);
  const client = openPublicClient(TasksServiceService, tasksAddress());
  try {
    const counts: ExportCounts = { written: 0, unfit: 0, assigned: 0 };
    const pages = writePages({ client, token: account.token, format, ownerId: assigned ? undefined : await account.userId() }, counts);
    await (file === '-' ? writeOutput(pages) : writeFile(file, pages));
    summarise(counts);
    return 0;
  } finally {
    client.close();
    account.close();
  }
}

await runCommand('export', run);
