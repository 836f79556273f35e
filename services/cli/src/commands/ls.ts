import { InvalidArgumentError, Option, type Command } from 'commander';
import { create, type MessageInitShape } from '#client/index';
import {
  ListTasksResponseSchema,
  TaskPriority,
  TaskScope,
  TaskStatus,
  type ListTasksRequestSchema,
  type ListTasksResponse,
  type Task,
} from '#client/tasks';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { readCount } from '../input/choices.ts';
import { resolveProject } from '../input/projects.ts';
import { shortenAmong } from '../input/short-ids.ts';
import { renderTable, type Column } from '../output/table.ts';
import { oneLine, toWords } from '../output/text.ts';
import { showDue } from '../output/times.ts';
import { priorityStyles, statusStyles } from './show-task.ts';
import { labelOption, openStatuses, prioritiesOption, statusesOption } from './task-options.ts';

interface ListOptions {
  status?: TaskStatus[];
  priority?: TaskPriority[];
  label?: string[];
  overdue?: boolean;
  assigned?: boolean;
  deleted?: boolean;
  search?: string;
  project?: string;
  all?: boolean;
  order: string;
  limit: number;
}

type ListRequest = MessageInitShape<typeof ListTasksRequestSchema>;

/** What users call the keys of the contract. */
const orderKeys: ReadonlyMap<string, string> = new Map([
  ['due', 'due_time'],
  ['priority', 'priority'],
  ['created', 'create_time'],
  ['updated', 'update_time'],
  ['title', 'title'],
  ['hand', 'position'],
]);
const orderWords = [...orderKeys.keys()].join(', ');

/** due,-priority → due_time,priority desc. Throws what commander reports as a wrong argument. */
function readOrder(text: string): string {
  const terms = text.split(',').map((part) => {
    const [, minus = '', word = ''] = /^\s*(-?)(.*?)\s*$/.exec(part) ?? [];
    const key = orderKeys.get(word);
    if (key === undefined) throw new InvalidArgumentError(`"${word}" is none of ${orderWords}.`);
    return { key, direction: minus === '' ? '' : ' desc' };
  });
  if (new Set(terms.map(({ key }) => key)).size < terms.length)
    throw new InvalidArgumentError('It may name each key once.');
  return terms.map(({ key, direction }) => `${key}${direction}`).join(',');
}

async function toRequest(options: ListOptions, { taskflow }: Cli): Promise<ListRequest> {
  const { status: statuses = openStatuses, priority: priorities = [], label: labels = [], search: text = '' } = options;
  return {
    statuses,
    priorities,
    labels,
    text,
    orderBy: options.order,
    showDeleted: options.deleted === true,
    ...(options.overdue === true && { overdue: true }),
    ...(await whose(options, taskflow)),
  };
}

async function whose({ assigned, project, all }: ListOptions, taskflow: Cli['taskflow']): Promise<ListRequest> {
  const self = assigned === true ? (await taskflow.users.getMe({})).user?.id : undefined;
  return {
    ...(self !== undefined && { assigneeId: self }),
    ...(project !== undefined && { projectId: await resolveProject(project, taskflow) }),
    ...(all === true && { scope: TaskScope.ALL }),
  };
}

const mostPerPage = 500;

/** As many tasks as were asked for, in as few pages as that takes. */
async function read(request: ListRequest, limit: number, { taskflow }: Cli): Promise<ListTasksResponse> {
  const tasks: Task[] = [];
  let pageToken = '';
  do {
    const pageSize = Math.min(mostPerPage, limit - tasks.length);
    const page = await taskflow.tasks.listTasks({ ...request, pageSize, pageToken });
    tasks.push(...page.tasks);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && tasks.length < limit);
  return create(ListTasksResponseSchema, { tasks, nextPageToken: pageToken });
}

function columnsFor({ zone }: Cli, shorten: (id: string) => string): Column<Task>[] {
  return [
    { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
    { head: 'KEY', cell: ({ key }) => key },
    { head: 'TITLE', cell: ({ title }) => oneLine(title), flexible: true },
    {
      head: 'STATUS',
      cell: ({ status, deleteTime }) => (deleteTime === undefined ? toWords(TaskStatus[status]) : 'deleted'),
      style: ({ status }) => statusStyles[status],
    },
    {
      head: 'PRIORITY',
      cell: ({ priority }) => toWords(TaskPriority[priority]),
      style: ({ priority }) => priorityStyles[priority],
    },
    { head: 'DUE', cell: (task) => showDue(task, zone), style: ({ overdue }) => (overdue ? 'red' : undefined) },
    { head: 'LABELS', cell: ({ labels }) => labels.map(oneLine).join(' '), flexible: true },
  ];
}

function show({ tasks, nextPageToken }: ListTasksResponse, cli: Cli): string {
  if (tasks.length === 0) return 'no tasks';
  const columns = columnsFor(cli, shortenAmong(tasks.map(({ id }) => id)));
  const used = columns.filter(({ cell }) => tasks.some((task) => cell(task) !== ''));
  if (nextPageToken !== '') cli.out.note(`the first ${tasks.length}; --limit shows more`);
  return renderTable(tasks, used);
}

export function registerList(program: Command): void {
  const command = program
    .command('ls')
    .summary('list tasks')
    .description(
      'Lists your tasks and those assigned to you, with --all those of your projects too. Ids are shortened: commands ' +
        'take them as they are shown.',
    )
    .addOption(statusesOption())
    .addOption(prioritiesOption())
    .addOption(labelOption('only tasks with the label'))
    .option('--overdue', 'only tasks that are past their due time')
    .option('--assigned', 'only tasks that are assigned to you')
    .option('--deleted', 'deleted ones too')
    .option('--project <project>', "only those of the project, by its key or id; everybody's")
    .addOption(new Option('--all', 'those of others in your projects too').conflicts('project'))
    .option('--search <words>', 'only tasks with words that begin so, in title or description')
    .addOption(
      new Option('--order <keys>', `${orderWords}, with commas between; -priority: highest first`)
        .argParser(readOrder)
        .default(readOrder('due'), 'due'),
    )
    .option('--limit <count>', 'at most so many', readCount, 50);
  examples(
    command,
    'taskflow ls',
    'taskflow ls --overdue --order -priority,due',
    'taskflow ls --status all --search water --limit 10 --json',
  );
  act<ListOptions>(command, async (cli, { options }) => {
    const list = await read(await toRequest(options, cli), options.limit, cli);
    const text = cli.out.isJson ? '' : await show(list, cli);
    cli.out.answer(ListTasksResponseSchema, list, () => text);
  });
}
