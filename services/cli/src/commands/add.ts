import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { CreateTaskResponseSchema, type TaskPriority } from '#client/tasks';
import { act, examples } from '../action.ts';
import { readDue } from '../input/due.ts';
import { resolveProject } from '../input/projects.ts';
import { describeTask } from './show-task.ts';
import { assigneeOption, descriptionOption, dueOption, labelOption, priorityOption } from './task-options.ts';

interface AddOptions {
  priority?: TaskPriority;
  due?: string;
  assignee?: string;
  label?: string[];
  description?: string;
  project?: string;
}

export function registerAdd(program: Command): void {
  const command = program
    .command('add')
    .summary('add a task')
    .description('Adds a task. Words without quotes become one title.')
    .argument('<title...>', 'what is to be done')
    .addOption(priorityOption())
    .addOption(dueOption())
    .addOption(assigneeOption())
    .addOption(labelOption('a label'))
    .addOption(descriptionOption())
    .option('--project <project>', 'key or id of the project that it stands in');
  examples(
    command,
    'taskflow add Water the plants --due tomorrow --label home',
    'taskflow add "Send the invoice" -p high -d "fri 17:00" --description "For January"',
  );
  act<AddOptions>(command, async (cli, { args, options }) => {
    const { priority, due, assignee, label: labels = [], description = '', project } = options;
    const task = {
      title: args.join(' '),
      description,
      labels,
      ...(project !== undefined && { projectId: await resolveProject(project, cli.taskflow) }),
      ...(priority !== undefined && { priority }),
      ...(due !== undefined && { due: readDue(due, cli) }),
    };
    const assigneeEmail = assignee === 'none' ? '' : (assignee ?? '');
    const answer = await cli.taskflow.tasks.createTask({ task, assigneeEmail, requestId: randomUUID() });
    cli.out.answer(CreateTaskResponseSchema, answer, () => `added ${describeTask(answer.task, cli)}`);
  });
}
