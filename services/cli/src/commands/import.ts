import { resolve } from 'node:path';
import type { Command } from 'commander';
import { act, examples } from '../action.ts';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../faults.ts';

interface ImportOptions {
  format?: string;
  zone?: string;
  dryRun?: boolean;
  assignee?: string;
}

/** npm changes the folder of scripts. */
export const resolveFile = (file: string): string =>
  process.env['npm_lifecycle_event'] === 'taskflow' ? resolve(process.env['INIT_CWD'] ?? '.', file) : resolve(file);

/** Throws UsageError for a file whose format is not told. */
export function orUsage<T>(choose: () => T): T {
  try {
    return choose();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function registerImport(program: Command): void {
  const command = program
    .command('import')
    .summary('load tasks from a file')
    .description(
      'Loads tasks from todo.txt (.txt), a Todoist export (.csv), iCalendar (.ics), or an export of everything ' +
        '(.jsonl). Running it again adds nothing twice.',
    )
    .argument('<file>', 'to load; "-" is the standard input, with --format')
    .option('--format <format>', 'todo.txt, todoist, ics or jsonl, when the name of the file does not tell it')
    .option('--zone <zone>', 'of days and times that name none; that of the profile when not given')
    .option('--dry-run', 'only checks, and writes nothing')
    .option('--assignee <e-mail>', 'who is to do all of them');
  examples(command, 'taskflow import services/tasks/import/sample.todo.txt --dry-run');
  act<ImportOptions>(command, async (cli, { args: [file = ''], options }) => {
    const { zone = cli.zone, dryRun = false, assignee: assigneeEmail = '' } = options;
    const { chooseFormat, readableFormats } = await import('../../../tasks/exchange/formats.ts');
    const { importFile, summarise } = await import('../../../tasks/import/import-file.ts');
    const format = orUsage(() => chooseFormat(readableFormats, file, options.format));
    const { tasks, users } = cli.taskflow;
    const account = { tasks, userId: async () => (await users.getMe({})).user?.id ?? '' };
    const report = await importFile(
      { file: file === '-' ? file : resolveFile(file), format, zone, dryRun, assigneeEmail },
      async () => account,
      cli.out.progress,
    );
    const { failure, ...counts } = report;
    cli.out.answerPlain(counts, () => summarise(report, dryRun));
    if (failure !== undefined) throw failure;
    return report.skipped === 0 ? 0 : exitCodes.someSkipped;
  });
}
