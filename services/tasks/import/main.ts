// npm run import -- FILE: loads tasks from a todo.txt, Todoist or iCalendar file through the public API.
import { parseArgs } from 'node:util';
import { findServices, runCommand, UsageError, type Progress } from '#dev/cluster';
import { findTimeZone } from '#libs/errors';
import { openClientCertificates } from '#libs/runtime';
import {
  findCredentials,
  openAccount,
  resolveFile,
  servicesFor,
  type Credentials,
  type OpenAccount,
} from '../exchange/account.ts';
import { chooseFormat, readableFormats } from '../exchange/formats.ts';
import { importFile, summarise, type ImportSettings } from './import-file.ts';

interface Settings extends ImportSettings {
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
    file: file === '-' ? file : resolveFile(file),
    format: chooseFormat(readableFormats, file, values.format),
    zone,
    dryRun: values['dry-run'],
    assigneeEmail: values.assignee,
    credentials,
  };
}

async function run(progress: Progress): Promise<number> {
  const settings = readSettings();
  const { credentials } = settings;
  let account: OpenAccount | undefined;
  const open = async (): Promise<OpenAccount> => {
    const certificates = openClientCertificates();
    const addresses = await findServices([...servicesFor(credentials), 'tasks'], certificates);
    const opened = (account = openAccount(credentials, addresses, certificates));
    // Signs in first, so that a wrong password is reported even for an empty file.
    await progress(() => `waiting for auth at ${addresses.auth}`, opened.signIn);
    return opened;
  };
  try {
    const report = await importFile(settings, open, progress);
    process.stdout.write(`${summarise(report, settings.dryRun)}\n`);
    if (report.checksum !== undefined) process.stdout.write(`the file has ${report.checksum}\n`);
    if (report.failure !== undefined) throw report.failure;
    return report.skipped === 0 ? 0 : 2;
  } finally {
    account?.close();
  }
}

await runCommand('import', run);
