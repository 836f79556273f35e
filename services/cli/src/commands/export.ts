import type { Command } from 'commander';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { UsageError } from '../faults.ts';
import { orUsage, resolveFile } from './import.ts';

interface ExportOptions {
  format?: string;
  assigned?: boolean;
}

async function write(cli: Cli, file: string, { format: asked, assigned = false }: ExportOptions): Promise<string> {
  const { chooseFormat, writableFormats } = await import('../../../tasks/exchange/formats.ts');
  const { exportEverything, exportTasks } = await import('../../../tasks/export/export-file.ts');
  const format = orUsage(() => chooseFormat(writableFormats, file, asked));
  if (format === undefined && assigned) throw new UsageError('jsonl has everything, without --assigned');
  const { taskflow, out, signal } = cli;
  const target = { file: file === '-' ? file : resolveFile(file), progress: out.progress, signal };
  if (format === undefined) return exportEverything(taskflow.connection, target);
  const ownerId = assigned ? undefined : (await taskflow.users.getMe({})).user?.id;
  return exportTasks({ tasks: taskflow.tasks, format, ownerId }, target);
}

export function registerExport(program: Command): void {
  const command = program
    .command('export')
    .summary('write tasks to a file')
    .description(
      'Writes your tasks to todo.txt (.txt), Todoist (.csv) or iCalendar (.ics), or all that is yours, from all ' +
        'services (.jsonl). What a format has no place for is named.',
    )
    .argument('<file>', 'to write; "-" is the standard output, with --format')
    .option('--format <format>', 'todo.txt, todoist, ics or jsonl, when the name of the file does not tell it')
    .option('--assigned', 'tasks of others that are assigned to you, too');
  examples(command, 'taskflow export - --format ics', 'taskflow export everything.jsonl');
  act<ExportOptions>(command, async (cli, { args: [file = ''], options }) => {
    const said = await write(cli, file, options);
    cli.out.note(said);
  });
}
