// npm run export -- FILE: writes tasks to a todo.txt, Todoist or iCalendar file, page by page.
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { findServices, runCommand, UsageError, type Progress } from '#dev/cluster';
import { openPublicClient } from '#libs/grpc';
import { openClientCertificates } from '#libs/runtime';
import { findCredentials, openAccount, resolveFile, servicesFor, type Credentials } from '../exchange/account.ts';
import { chooseFormat, type FileFormat } from '../exchange/formats.ts';
import { writePages, type ExportCounts } from './write-pages.ts';

interface Settings {
  file: string;
  format: FileFormat;
  assigned: boolean;
  credentials: Credentials;
}

const options = {
  email: { type: 'string' },
  format: { type: 'string' },
  assigned: { type: 'boolean', default: false },
} as const;

function readSettings(): Settings {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new UsageError('say which one file to write');
  const credentials = findCredentials(values.email);
  return {
    file: file === '-' ? file : resolveFile(file),
    format: chooseFormat(file, values.format),
    assigned: values.assigned,
    credentials,
  };
}

/** The file gets its name when it is complete, because a truncated one would look complete. */
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
  const left = [
    unfit > 0 ? `${unfit} left out: the format has only open tasks` : '',
    assigned > 0 ? `${assigned} of others left out: --assigned takes them too` : '',
  ];
  process.stderr.write(`${[`${written} written`, ...left.filter((part) => part !== '')].join(', ')}\n`);
}

async function run(progress: Progress): Promise<number> {
  const { file, format, assigned, credentials } = readSettings();
  const certificates = openClientCertificates();
  const { tasks, ...others } = await findServices([...servicesFor(credentials), 'tasks'], certificates);
  const account = openAccount(credentials, { ...others, certificates });
  const client = openPublicClient(TasksServiceService, tasks, { certificates });
  try {
    const counts: ExportCounts = { written: 0, unfit: 0, assigned: 0 };
    const onLoss = (taskId: string, loss: string): void =>
      void process.stderr.write(`task ${taskId} is written ${loss}\n`);
    const pages = writePages(
      { client, token: account.token, format, ownerId: assigned ? undefined : await account.userId(), onLoss },
      counts,
    );
    await progress(
      () => `${counts.written} tasks written`,
      async () => (file === '-' ? writeOutput(pages) : writeFile(file, pages)),
    );
    summarise(counts);
    return 0;
  } finally {
    client.close();
    account.close();
  }
}

await runCommand('export', run);
