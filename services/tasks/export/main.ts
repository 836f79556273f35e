// npm run export -- FILE: writes tasks to a todo.txt, Todoist or iCalendar file, or all that is one's own.
import { parseArgs } from 'node:util';
import { findServices, runCommand, UsageError, type Progress } from '#dev/cluster';
import { openClientCertificates } from '#libs/runtime';
import { findCredentials, openAccount, resolveFile, servicesFor, type Credentials } from '../exchange/account.ts';
import { chooseFormat, writableFormats, type FileFormat } from '../exchange/formats.ts';
import { exportingServices, newEverythingCounts, writeEverything } from './write-everything.ts';
import { writeFile } from './write-file.ts';
import { writePages, type ExportCounts } from './write-pages.ts';

interface Settings {
  file: string;
  /** Undefined: everything that is the account's own. */
  format: FileFormat | undefined;
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
  const format = chooseFormat(writableFormats, file, values.format);
  if (format === undefined && values.assigned) throw new UsageError('jsonl has everything, without --assigned');
  if (format === undefined && 'personalToken' in credentials)
    throw new UsageError('no personal token may take everything away: give e-mail and password for jsonl');
  return {
    file: file === '-' ? file : resolveFile(file),
    format,
    assigned: values.assigned,
    credentials,
  };
}

function summarise({ written, unfit, assigned }: ExportCounts): void {
  const left = [
    unfit > 0 ? `${unfit} left out: the format has only open tasks` : '',
    assigned > 0 ? `${assigned} of others left out: --assigned takes them too` : '',
  ];
  process.stderr.write(`${[`${written} written`, ...left.filter((part) => part !== '')].join(', ')}\n`);
}

/** Writes the tasks in a format. */
async function exportTasks(format: FileFormat, { file, assigned, credentials }: Settings, progress: Progress) {
  const certificates = openClientCertificates();
  const addresses = await findServices([...servicesFor(credentials), 'tasks'], certificates);
  const account = openAccount(credentials, addresses, certificates);
  try {
    const counts: ExportCounts = { written: 0, unfit: 0, assigned: 0 };
    const onLoss = (taskId: string, loss: string): void =>
      void process.stderr.write(`task ${taskId} is written ${loss}\n`);
    const pages = writePages(
      { client: account.tasks, format, ownerId: assigned ? undefined : await account.userId(), onLoss },
      counts,
    );
    await progress(
      () => `${counts.written} tasks written`,
      () => writeFile(file, pages),
    );
    summarise(counts);
  } finally {
    account.close();
  }
}

/** Writes all that is the account's own, from all services. */
async function exportEverything({ file, credentials }: Settings, progress: Progress): Promise<void> {
  const certificates = openClientCertificates();
  const addresses = await findServices(exportingServices, certificates);
  const account = openAccount(credentials, addresses, certificates);
  try {
    const counts = newEverythingCounts();
    const pieces = writeEverything(account.connection, counts);
    await progress(
      () => `${counts.lines} lines written`,
      () => writeFile(file, pieces),
    );
    const unread = counts.unread > 0 ? `; ${counts.unread} more tasks that an import of this version would skip` : '';
    process.stderr.write(`${counts.lines} lines written, with ${counts.checksum}${unread}\n`);
  } finally {
    account.close();
  }
}

async function run(progress: Progress): Promise<number> {
  const settings = readSettings();
  const { format } = settings;
  await (format === undefined ? exportEverything(settings, progress) : exportTasks(format, settings, progress));
  return 0;
}

await runCommand('export', run);
