// npm run export -- FILE: writes tasks to a todo.txt, Todoist or iCalendar file, or all that is one's own.
import { parseArgs } from 'node:util';
import { findServices, runCommand, serviceNames, UsageError, type Progress } from '#dev/cluster';
import { openClientCertificates } from '#libs/runtime';
import { findCredentials, openAccount, resolveFile, servicesFor, type Credentials } from '../exchange/account.ts';
import { chooseFormat, writableFormats, type FileFormat } from '../exchange/formats.ts';
import { exportEverything, exportTasks } from './export-file.ts';

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

async function run(progress: Progress): Promise<number> {
  const { file, format, assigned, credentials } = readSettings();
  const certificates = openClientCertificates();
  const services = format === undefined ? serviceNames : ([...servicesFor(credentials), 'tasks'] as const);
  const account = openAccount(credentials, await findServices(services, certificates), certificates);
  try {
    const target = { file, progress };
    const said =
      format === undefined
        ? await exportEverything(account.connection, target)
        : await exportTasks(
            { tasks: account.tasks, format, ownerId: assigned ? undefined : await account.userId() },
            target,
          );
    process.stderr.write(`${said}\n`);
    return 0;
  } finally {
    account.close();
  }
}

await runCommand('export', run);
