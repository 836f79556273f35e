import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { MessageInitShape } from '#client/index';
import { UpdateTaskResponseSchema, type TaskPriority, type TaskSchema, type TaskStatus } from '#client/tasks';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { collect } from '../input/choices.ts';
import { readNewDue } from '../input/due.ts';
import { editTask } from '../input/edit-task.ts';
import { resolveTask } from '../input/short-ids.ts';
import { describeTask } from './show-task.ts';
import {
  assigneeOption,
  descriptionOption,
  dueOption,
  labelOption,
  priorityOption,
  statusOption,
} from './task-options.ts';

export interface EditOptions {
  title?: string;
  status?: TaskStatus;
  priority?: TaskPriority;
  due?: string;
  assignee?: string;
  label?: string[];
  addLabel?: string[];
  removeLabel?: string[];
  description?: string;
}

type TaskInit = MessageInitShape<typeof TaskSchema>;

/** What changes, and the paths of the contract for it. */
export interface Change {
  task: TaskInit;
  paths: string[];
  assigneeEmail?: string;
}

function dueChange(due: string, cli: Cli): Change {
  const read = readNewDue(due, cli);
  return { task: { due: read }, paths: [read.case === 'dueDay' ? 'due_day' : 'due_time'] };
}

function labelChange(options: EditOptions, before: readonly string[]): Change[] {
  const { label, addLabel = [], removeLabel = [] } = options;
  if (label === undefined && addLabel.length + removeLabel.length === 0) return [];
  const labels = new Set([...(label ?? before), ...addLabel]);
  for (const one of removeLabel) labels.delete(one);
  return [{ task: { labels: [...labels] }, paths: ['labels'] }];
}

const assigneeChange = (assignee: string): Change =>
  assignee === 'none'
    ? { task: { assigneeId: '' }, paths: ['assignee_id'] }
    : { task: {}, paths: [], assigneeEmail: assignee };

/** What the options ask for; undefined when they ask for nothing. */
function toChange(options: EditOptions, before: readonly string[], cli: Cli): Change | undefined {
  const { title, status, priority, description, due, assignee } = options;
  const changes: Change[] = [
    ...(title === undefined ? [] : [{ task: { title }, paths: ['title'] }]),
    ...(status === undefined ? [] : [{ task: { status }, paths: ['status'] }]),
    ...(priority === undefined ? [] : [{ task: { priority }, paths: ['priority'] }]),
    ...(description === undefined ? [] : [{ task: { description }, paths: ['description'] }]),
    ...(due === undefined ? [] : [dueChange(due, cli)]),
    ...(assignee === undefined ? [] : [assigneeChange(assignee)]),
    ...labelChange(options, before),
  ];
  if (changes.length === 0) return undefined;
  const assigneeEmail = changes.find((one) => one.assigneeEmail !== undefined)?.assigneeEmail;
  return {
    task: Object.assign({}, ...changes.map(({ task }) => task)) as TaskInit,
    paths: changes.flatMap(({ paths }) => paths),
    ...(assigneeEmail !== undefined && { assigneeEmail }),
  };
}

export function registerEdit(program: Command): void {
  const command = program
    .command('edit')
    .summary('change a task')
    .description(
      'Changes a task: by options, or without any in $VISUAL or $EDITOR. Refuses what others changed meanwhile.',
    )
    .argument('<id>', 'of the task, or the beginning or end of it')
    .option('-t, --title <title>', 'what is to be done')
    .addOption(statusOption())
    .addOption(priorityOption())
    .addOption(dueOption('; "none" takes it away'))
    .addOption(assigneeOption())
    .addOption(labelOption('a label in place of all'))
    .option('--add-label <label>', 'a label beside the others; repeat it for several', collect)
    .option('--remove-label <label>', 'a label that goes; repeat it for several', collect)
    .addOption(descriptionOption());
  examples(
    command,
    'taskflow edit ID --priority urgent --due "2026-12-24 17:00"',
    'taskflow edit ID --status in-progress --add-label garden --due none',
  );
  act<EditOptions>(command, async (cli, { args: [typed = ''], options }) => {
    const { tasks } = cli.taskflow;
    const { task: before } = await tasks.getTask({ taskId: await resolveTask(typed, cli.taskflow) });
    if (before === undefined) return;
    const change = toChange(options, before.labels, cli) ?? toChange(await editTask(before, cli), before.labels, cli);
    if (change === undefined) return cli.out.note('nothing was changed');
    const { task, paths, assigneeEmail = '' } = change;
    const answer = await tasks.updateTask({
      task: { ...task, id: before.id, etag: before.etag },
      updateMask: { paths },
      assigneeEmail,
      requestId: randomUUID(),
    });
    cli.out.answer(UpdateTaskResponseSchema, answer, () => `changed ${describeTask(answer.task, cli)}`);
  });
}
